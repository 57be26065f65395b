/// The frames of one size in the order in which they come, and how much of each is new.
struct FrameSequence {
  let width: Int
  let height: Int
  private let work: WorkPlan
  private let model: Model
  private let options: Upscaler.Options
  private let whole: FramePlan
  private let patchLimit: Int
  private var patched: FramePlan?
  private var last: FrameJob?

  /// What becomes of a frame.
  struct Step {
    /// Where its result will be.
    let result: PendingImage

    /// The work that leads there; nil when nothing has changed since the frame before.
    let job: FrameJob?

    /// The pixels of the frame that are copied from the frame before.
    let reusedPixels: Int
  }

  init(_ work: WorkPlan, model: Model, options: Upscaler.Options) throws(EngineError) {
    width = work.width
    height = work.height
    self.work = work
    self.model = model
    self.options = options
    whole = try FramePlan(work, model: model, options: options)
    patchLimit = work.patchLimit
  }

  /// Plans the next frame; `number` counts all frames.
  mutating func step(to image: Image, number: Int) throws(EngineError) -> Step {
    guard let patches = work.patches else {
      let job = FrameJob(image: image, plan: whole, number: number)
      return Step(result: job.pending, job: job, reusedPixels: 0)
    }
    guard let last, let tiles = patches.patches(from: last.image, to: image, limit: patchLimit)
    else { return keep(FrameJob(image: image, plan: whole, number: number), reusedPixels: 0) }
    guard !tiles.isEmpty, let plan = try patchedPlan() else {
      return Step(result: last.pending, job: nil, reusedPixels: width * height)
    }
    let job = FrameJob(image: image, plan: plan, number: number, tiles: tiles, before: last)
    let computed = tiles.reduce(0) { $0 + $1.core.area }
    return keep(job, reusedPixels: max(0, width * height - computed))
  }

  private mutating func keep(_ job: FrameJob, reusedPixels: Int) -> Step {
    last = job
    return Step(result: job.pending, job: job, reusedPixels: reusedPixels)
  }

  // Compiled when it is first needed: in most videos everything moves.
  private mutating func patchedPlan() throws(EngineError) -> FramePlan? {
    if patched == nil {
      patched = try FramePlan(
        patchesOf: work,
        results: whole.results,
        model: model,
        options: options
      )
    }
    return patched
  }
}

extension WorkPlan {
  // Up to this part of a whole frame's work patches pay for their copies.
  private static let worthwhile = 0.8

  // More patches are more work than the whole frame.
  fileprivate var patchLimit: Int {
    guard let patches else { return 0 }
    let whole = tiles.tiles.count * graph.work(cores: tiles.cores)
    return Int(Double(whole) * Self.worthwhile) / patches.work
  }
}

extension PixelRect {
  fileprivate var area: Int { width * height }
}

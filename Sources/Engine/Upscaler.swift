/// Enlarges pictures with a model, on as many cores as it is given.
///
/// ```swift
/// let upscaler = try Upscaler(model: Model(named: "fast"))
/// let large = try upscaler.upscale(small).wait()
/// ```
///
/// Work is divided by (frame, tile): each worker thread runs one tile of one frame at a time, without
/// help from others. The result does not depend on the number of workers.
public final class Upscaler: Sendable {
  /// What a user may choose.
  public struct Options: Sendable {
    /// The library that runs the network.
    public var backend: any Backend = OneDNNBackend()

    /// The number of worker threads.
    public var workers = 1

    /// How pictures are cut.
    public var tiling = Tiling.automatic

    /// How tiles that overlap become one picture.
    public var blending = Blending.seamless

    /// The key of the noise.
    public var seed: UInt64 = 0

    /// What noise a frame gets.
    public var noise = Noise.still

    /// The most memory that the whole process may take, in bytes; nil for any amount.
    public var memory: Int? = Machine.memoryByteCount / 2

    /// How much of it is taken by others, such as an encoder.
    public var memoryOfOthers = 0

    /// Creates the default options.
    public init() {}
  }

  /// How pictures are cut into tiles.
  public enum Tiling: Hashable, Sendable {
    /// What is fastest within the memory that there is.
    case automatic

    /// No cuts.
    case wholePicture

    /// As many bands of whole rows, so that several workers finish one picture sooner; where tiles overlap,
    /// as ``automatic``.
    case bands(Int)

    /// Tiles of at most this many low-resolution pixels a side, without their halo; where tiles
    /// overlap, with the overlap, and rounded up to what the network takes.
    case side(Int)
  }

  /// How tiles become one picture where the network looks everywhere, so that tiles must overlap.
  public enum Blending: Hashable, Sendable {
    /// One noise field over the whole picture, and tiles that fade into each other.
    case seamless

    /// As the papers' code does: noise of its own for every tile, and the plain mean of overlaps.
    case paper
  }

  /// What noise a frame gets.
  public enum Noise: Hashable, Sendable {
    /// The same as every other frame, so that a still scene stays still.
    case still

    /// Its own.
    case perFrame
  }

  /// The model that enlarges.
  public let model: Model

  private let options: Options
  private let state: Monitor<State>
  private let tasks = TaskQueue()
  private let workers: [Worker]

  private struct State {
    let first: WorkPlan?
    var plan: FramePlan?
    var frameCount = 0
  }

  /// Starts the workers.
  ///
  /// - Parameters:
  ///   - model: The model that enlarges.
  ///   - options: What the user chose.
  ///   - plan: How pictures of the size that comes first are worked on; decides on the number of workers.
  public init(model: Model, options: Options = Options(), plan: WorkPlan? = nil) {
    precondition(options.workers > 0, "at least one worker")
    self.model = model
    var options = options
    options.workers = plan?.workers ?? options.workers
    self.options = options
    state = Monitor(State(first: plan))
    workers = (0..<options.workers).map { [tasks] _ in Worker(tasks) }
  }

  deinit {
    tasks.close()
    for worker in workers { worker.join() }
  }

  /// Begins to enlarge a picture and returns at once.
  ///
  /// The picture must not change until the result is there. Results of several calls are computed side
  /// by side; whoever calls bounds how many.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the network cannot run at this size.
  public func upscale(_ image: Image) throws(EngineError) -> PendingImage {
    let (plan, number) = try plan(width: image.width, height: image.height)
    let job = FrameJob(image: image, plan: plan, number: number)
    tasks.add(job)
    return job.pending
  }

  /// The seconds that workers spent so far, by operation; idle time is not in it.
  public var secondsByOperation: [String: Double] {
    workers.reduce(into: [:]) { $0.merge($1.seconds, uniquingKeysWith: +) }
  }

  /// The seconds that a worker spent on tiles so far; the mean over all workers.
  public var busySecondsPerWorker: Double {
    secondsByOperation.values.reduce(0, +) / Double(workers.count)
  }

  /// The plan of this size, and the number of the frame; frames of one size follow each other, so only the
  /// last plan is kept.
  private func plan(width: Int, height: Int) throws(EngineError) -> (FramePlan, frame: Int) {
    try state.withLock { (state) throws(EngineError) in
      defer { state.frameCount += 1 }
      if let plan = state.plan, plan.width == width, plan.height == height {
        return (plan, state.frameCount)
      }
      state.plan = nil  // its memory first
      let plan = try FramePlan(
        workPlan(width: width, height: height, first: state.first),
        model: model,
        options: options,
      )
      state.plan = plan
      return (plan, state.frameCount)
    }
  }

  private func workPlan(
    width: Int,
    height: Int,
    first: WorkPlan?,
  ) throws(EngineError) -> WorkPlan {
    if let first, first.fits(width: width, height: height) { return first }
    return try WorkPlan(
      model: model,
      width: width,
      height: height,
      options: options,
      mayRest: false,
    )
  }
}

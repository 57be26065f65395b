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

    /// Whether what has not changed since the picture before is copied from its result.
    ///
    /// The results are the same to the bit, so it is never done with noise of its own in every frame.
    public var reusesUnchanged = true

    /// The number of the first frame, which decides on its noise where every frame has its own.
    public var firstFrame = 0

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

  /// What its convolutions multiply.
  public var precision: Precision { options.backend.precision }

  private let options: Options
  private let state: Monitor<State>
  private let tasks = TaskQueue()
  private let workers: [Worker]

  private struct State {
    let first: WorkPlan?
    var frames: FrameSequence?
    var frameCount: Int
    var pixelCount = 0
    var reusedPixelCount = 0
    var uncountedSeconds = 0.0
  }

  /// Starts the workers.
  ///
  /// - Parameters:
  ///   - model: The model that enlarges.
  ///   - options: What the user chose.
  ///   - plan: How pictures of the size that comes first are worked on; decides on the number of workers.
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the system starts fewer threads.
  public init(
    model: Model,
    options: Options = Options(),
    plan: WorkPlan? = nil,
  ) throws(EngineError) {
    precondition(options.workers > 0, "at least one worker")
    self.model = model
    var options = options
    options.workers = plan?.workers ?? options.workers
    self.options = options
    state = Monitor(State(first: plan, frameCount: options.firstFrame))
    workers = try [Worker](tasks, count: options.workers)
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
    try state.withLock { (state) throws(EngineError) in
      let step = try nextStep(&state, image)
      state.frameCount += 1
      state.pixelCount += image.width * image.height
      state.reusedPixelCount += step.reusedPixels
      // With the lock held: a frame may wait for the one before, which must be queued before.
      if let job = step.job { tasks.add(job) }
      return step.result
    }
  }

  // The pixels of all pictures so far, and those of them that had not changed.
  fileprivate var pixelCounts: (all: Int, reused: Int) {
    state.withLock { ($0.pixelCount, $0.reusedPixelCount) }
  }

  /// The seconds that workers spent so far, by operation; idle time is not in it.
  public var secondsByOperation: [String: Double] {
    workers.reduce(into: [:]) { $0.merge($1.seconds, uniquingKeysWith: +) }
  }

  /// The seconds that a worker spent on tiles so far; the mean over all workers.
  public var busySecondsPerWorker: Double {
    (busySeconds - state.withLock(\.uncountedSeconds)) / Double(workers.count)
  }

  private var busySeconds: Double { secondsByOperation.values.reduce(0, +) }

  /// Begins anew with what is counted, as if no picture had come before; none may be in work.
  public func beginCounting() {
    let seconds = busySeconds
    state.withLock {
      $0.frameCount = options.firstFrame
      $0.pixelCount = 0
      $0.reusedPixelCount = 0
      $0.uncountedSeconds = seconds
    }
  }

  // Frames of one size follow each other, so only the last size's plans are kept.
  private func nextStep(
    _ state: inout State,
    _ image: Image,
  ) throws(EngineError) -> FrameSequence.Step {
    let (width, height) = (image.width, image.height)
    if state.frames?.width != width || state.frames?.height != height {
      if state.frames != nil {
        state.frames = nil  // its memory first
        Machine.releaseFreeMemory()
      }
      let plan = try workPlan(width: width, height: height, first: state.first)
      state.frames = try FrameSequence(plan, model: model, options: options)
    }
    guard let step = try state.frames?.step(to: image, number: state.frameCount) else {
      preconditionFailure("there are plans for the size")
    }
    return step
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

extension [Upscaler] {
  /// The part of all their pictures so far that was not computed because it had not changed, 0…1.
  public var reusedShare: Double {
    let counts = map(\.pixelCounts)
    let all = counts.reduce(0) { $0 + $1.all }
    return all > 0 ? Double(counts.reduce(0) { $0 + $1.reused }) / Double(all) : 0
  }
}

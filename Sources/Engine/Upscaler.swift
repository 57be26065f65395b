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

    /// Creates the default options.
    public init() {}
  }

  /// How pictures are cut into tiles.
  public enum Tiling: Hashable, Sendable {
    /// As few tiles as keep a worker's memory at some hundred megabytes.
    case automatic

    /// No cuts.
    case wholePicture

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

  /// The model that enlarges.
  public let model: Model

  /// The number of frames that keeps every worker busy: more than one frame must be in flight, so that no
  /// worker waits for the others to finish a frame.
  public var framesInFlight: Int { options.workers + 1 }

  private let options: Options
  private let plans = Monitor<FramePlan?>(nil)
  private let tasks = TaskQueue()
  private let workers: [Worker]

  /// Starts the workers.
  public init(model: Model, options: Options = Options()) {
    precondition(options.workers > 0, "at least one worker")
    self.model = model
    self.options = options
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
    let plan = try plan(width: image.width, height: image.height)
    let job = FrameJob(image: image, plan: plan)
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

  /// The plan of this size; frames of one size follow each other, so only the last one is kept.
  private func plan(width: Int, height: Int) throws(EngineError) -> FramePlan {
    try plans.withLock { (current) throws(EngineError) in
      if let current, current.width == width, current.height == height { return current }
      let plan = try FramePlan(model: model, width: width, height: height, options: options)
      current = plan
      return plan
    }
  }
}

public import Engine
internal import Synchronization

/// One run: reads a file, upscales its picture and writes it with everything else unchanged.
///
/// Creating it opens the input, decodes the first picture and opens the encoder, so that whatever
/// cannot work fails at once; ``run(framesInFlight:framesAtOnce:upscale:)`` does the work and creates the output. Reading,
/// decoding, upscaling, encoding and writing overlap; queues between them are bounded.
///
/// A class because ``cancel(signal:)`` and ``progress`` are used from other threads.
public final class Transcode: @unchecked Sendable {
  // Safe to share: `opened` is touched by `init` and `run` only, the rest is safe by itself.

  /// Starts the work on a picture and returns at once; results may become ready in any order.
  public typealias Upscale = @Sendable (Image) throws(EngineError) -> PendingImage

  /// What is in the input.
  public let input: MediaInfo

  /// What will be written.
  public let plan: TranscodePlan

  private var opened: OpenedTranscode?
  private let cancellation: Cancellation
  private let options: TranscodeOptions
  private let work: WorkFolder?
  private let flow: Flow

  /// Opens the input and plans the output, without creating it.
  ///
  /// - Parameters:
  ///   - options: What to read and what to write.
  ///   - cancellation: Ends the opening and the run early; ``cancel(signal:)`` does the same.
  ///   - engine: Is called once, when the sizes of pictures are known, and says what the engine needs.
  /// - Throws: A ``MediaError``; of kind `engine` what `engine` throws.
  public init(
    _ options: TranscodeOptions,
    cancellation: Cancellation = Cancellation(),
    engine: EngineNeeds.Choice = { _, _ in EngineNeeds() },
  ) throws(MediaError) {
    self.cancellation = cancellation
    let opened = try OpenedTranscode(options, cancellation, engine)
    self.options = options
    input = opened.info
    plan = opened.plan
    work = opened.work
    flow = Flow(
      options.part,
      origin: opened.start,
      totalFrames: opened.totalFrames,
      storedFrames: plan.storedFrames,
      live: options.live,
      cancellation: cancellation,
    )
    self.opened = consume opened
    let group = flow.group
    cancellation.observe { group.fail($0) }
  }

  /// Does the work; may be called once.
  ///
  /// - Parameters:
  ///   - framesInFlight: How many frames the engine works on or has finished at any time; at least three.
  ///   - framesAtOnce: How many of them the engine works on at the same time, if it has them.
  ///   - upscale: Makes a picture larger. It is called from one thread, in the order of the frames, and
  ///     must not wait for the picture; at most `framesInFlight` results are waited for.
  /// - Returns: What was done, when the output is complete; it may be since an earlier run.
  /// - Throws: The first error of any stage; the output is then not there.
  public func run(
    framesInFlight: Int = 4,
    framesAtOnce: Int = 1,
    upscale: @escaping Upscale,
  ) throws(MediaError) -> TranscodeReport {
    let ladder = Ladder([Ladder.Rung(cost: .zero, upscale: upscale)])
    return try run(framesInFlight: framesInFlight, framesAtOnce: framesAtOnce, ladder: ladder)
  }

  /// As ``run(framesInFlight:framesAtOnce:upscale:)``, but live the way to enlarge pictures changes with
  /// the load.
  public func run(
    framesInFlight: Int,
    framesAtOnce: Int,
    ladder: Ladder,
  ) throws(MediaError) -> TranscodeReport {
    guard let opened = opened.take() else { preconditionFailure("a transcode runs once") }
    flow.limit(framesInFlight: max(framesInFlight, opened.framesOnTheirWay))
    if let cancelled = cancellation.error { throw cancelled }
    if let work, work.isComplete {
      work.remove()
      return flow.reportOfStored
    }
    let admission = Admission(
      options.live,
      framesAtOnce: framesAtOnce,
      mostResults: framesInFlight + opened.resultsWaiting,
      interval: opened.frameInterval,
      repeatTolerance: options.repeatTolerance,
      delays: flow.delays,
      ladder: ladder,
    )
    do throws(MediaError) {
      try opened.start(flow, admission, cancellation)
      try flow.group.join()
    } catch {
      throw completed(error)
    }
    return flow.report
  }

  // A cancelled run says what it leaves: files that are renamed at the end vanish, others do not.
  private func completed(_ error: MediaError) -> MediaError {
    let stored = work?.close() ?? 0
    if stored > 0, let work { return error.adding(stored, in: work) }
    guard case .cancelled(let signal) = error.kind else { return error }
    let frames = progress.frames
    if options.output.pictureNames != nil && frames > 0 {
      return .cancelled(signal: signal, remains: "pictures written before: \(frames)")
    }
    if cancellation.hasSent {
      return .cancelled(signal: signal, remains: "the output is not complete")
    }
    return error
  }

  /// Ends the run soon, without output; ``run(framesInFlight:framesAtOnce:upscale:)`` then throws `cancelled`.
  ///
  /// - Parameter signal: The number of the signal that asked for it.
  public func cancel(signal: Int32) {
    cancellation.request(signal: signal)
  }

  /// Ends the run soon, after ``Cancellation/endInput(signal:)`` has not been enough: a file is completed with the
  /// pictures that are ready; what goes to a pipe or an address, whose reader may have stopped, ends as it is.
  ///
  /// - Parameter signal: The number of the signal that asked for it.
  public func hasten(signal: Int32) {
    let isFile =
      options.output.network == nil && !OutputFile.isWrittenDirectly(options.output.path)
    isFile ? flow.leaveOutTheRest() : cancel(signal: signal)
  }

  /// How far the run has come.
  public var progress: TranscodeProgress { flow.progress }
}

extension MediaError {
  /// The same error, with what the run leaves and how it goes on.
  fileprivate func adding(_ frames: Int, in work: WorkFolder) -> MediaError {
    let kept = "\(frames) frames are kept in \(work.path.quoted), the same command continues"
    switch kind {
    case .cancelled(let signal): return .cancelled(signal: signal, remains: kept)
    case .inputOutput: return MediaError(kind, step, subject, "\(reason); \(kept)")
    default: return self
    }
  }
}

/// What a run will write.
public struct TranscodePlan: Hashable, Sendable {
  /// Columns of the source's pictures when they are upright; the engine gets this size.
  public let sourceWidth: Int

  /// Rows of the source's pictures when they are upright.
  public let sourceHeight: Int

  /// Columns of the output.
  public let width: Int

  /// Rows of the output.
  public let height: Int

  /// The encoder, by FFmpeg's name.
  public let codec: String

  /// The pixel format that is encoded, by FFmpeg's name.
  public let pixelFormat: String

  /// The container, by FFmpeg's name.
  public let format: String

  /// The frames that an earlier run has encoded, and that are not upscaled again.
  public let storedFrames: Int

  /// For each stream of the input its number in the output; `nil` if it is left out.
  public let outputStreams: [Int?]

  /// About how much memory reading, decoding and encoding take, in bytes.
  public let byteCount: Int

  /// What a person should know beforehand.
  public let notices: [Notice]
}

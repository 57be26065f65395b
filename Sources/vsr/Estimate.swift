internal import Engine
internal import Pipeline

/// What a run would take, as text and for programs.
struct Estimate: Encodable {
  /// The frames of the output as the container counts them; absent when the input does not say.
  let frames: Int?

  /// The frames that an earlier run has finished, which take no time.
  let framesStored: Int

  /// The weights that would be used, how many times larger their pictures are, and what they multiply.
  let model: String
  let modelScale: Int
  let precision: String

  let sourceWidth: Int
  let sourceHeight: Int
  let width: Int
  let height: Int

  /// How pictures are cut: the number of tiles and the size of each with what it gets around it.
  let tiles: Int
  let tileWidth: Int
  let tileHeight: Int

  let workers: Int
  let framesInFlight: Int

  /// What the process takes as a rule, and what it may take, which is what --memory limits.
  let memoryBytes: Int
  let memoryBytesAtMost: Int

  /// What the network takes for a frame, measured; decoding and encoding go on beside it.
  let secondsPerFrame: Double

  /// The whole run; absent when the input does not say how long it is.
  let seconds: Double?

  private let cuts: String
  private let modelLine: String

  // Few enough to wait for, and enough for figures that hardly change.
  private static let secondsOfMeasuring = 2.0

  /// Measures the network on a picture of the input's size.
  init(_ transcode: Transcode, _ upscaler: Upscaler, _ work: WorkPlan) throws(EngineError) {
    let plan = transcode.plan
    frames = transcode.progress.totalFrames
    framesStored = plan.storedFrames
    model = upscaler.model.name
    modelScale = upscaler.model.scale
    precision = upscaler.precision.argument
    modelLine = upscaler.modelLine
    (sourceWidth, sourceHeight) = (plan.sourceWidth, plan.sourceHeight)
    (width, height) = (plan.width, plan.height)
    tiles = work.tiles.tiles.count
    (tileWidth, tileHeight) = (work.tiles.windowWidth, work.tiles.windowHeight)
    workers = work.workers
    framesInFlight = work.framesInFlight
    memoryBytes = work.usualByteCount
    memoryBytesAtMost = work.byteCount
    cuts = work.cuts
    let perFrame = try upscaler.secondsPerFrame(work, measuring: Estimate.secondsOfMeasuring)
    secondsPerFrame = perFrame
    seconds = frames.map { Double(max($0 - plan.storedFrames, 0)) * perFrame }
  }

  var text: String {
    let count = frames.map { "\($0)" } ?? "an unknown number"
    let stored = framesStored > 0 ? ", \(framesStored) of them from an earlier run" : ""
    let whole = seconds.map { "about \(Duration.seconds($0).clock), " } ?? ""
    return """
      frames    \(count)\(stored)
      pictures  \(sourceWidth)x\(sourceHeight) to \(width)x\(height)
      model     \(modelLine)
      tiles     \(cuts), \(framesInFlight.counted("frame")) at a time, \(workers.counted("worker"))
      memory    about \(memoryBytes.mebibytes), at most \(memoryBytesAtMost.mebibytes)
      time      \(whole)\(secondsPerFrame.formatted(3)) s a frame in the network
      """
  }

  private enum CodingKeys: CodingKey {
    case frames, framesStored, model, modelScale, precision
    case sourceWidth, sourceHeight, width, height, tiles, tileWidth, tileHeight
    case workers, framesInFlight, memoryBytes, memoryBytesAtMost, secondsPerFrame, seconds
  }
}

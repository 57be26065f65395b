internal import ArgumentParser
internal import Engine
internal import Pipeline

/// `vsr bench`: how fast this machine is, without any input.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure frames per second and where the time goes; needs no input.",
    discussion: """
      First the engine alone, with as many frames at a time as keep it busy; then with one frame at a time, as in a
      live stream; then a whole run: decoding, conversion, engine and x264, over a generated clip.
      """,
  )

  @OptionGroup(title: "Size") var size: SizeOptions
  @OptionGroup(title: "Engine") var engine: EngineOptions

  @Option(
    help: ArgumentHelp("The size of the input (default: 320x180).", valueName: "WxH"),
    transform: SizeArgument.init(_:)
  )
  var videoSize = SizeArgument(width: 320, height: 180)

  @Option(help: ArgumentHelp("How long the engine is measured.", valueName: "s"))
  var seconds = 5.0

  @Option(help: ArgumentHelp("Frames of the whole run; 0 leaves it out.", valueName: "n"))
  var frames = 100

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (0.1...3600).contains(seconds) else {
      throw ValidationError("--seconds takes a number from 0.1 to 3600, not \(seconds)")
    }
    guard (0...1_000_000).contains(frames) else {
      throw ValidationError("--frames takes a number from 0 to 1000000, not \(frames)")
    }
  }

  func run() throws {
    Signals.exitOnEnding()
    let family = try engine.family
    try engine.check(family)
    let output = output(family)
    let source = (width: videoSize.width, height: videoSize.height)
    let target = try output.pictureSize(width: source.width, height: source.height)
    let model = family.model(enlarging: source, to: target)
    let options = try engine.upscalerOptions(model)
    let figures = try EngineBenchmark(
      model: model,
      options: options,
      width: source.width,
      height: source.height,
      seconds: seconds,
    )
    let latency = try latency(model, options)
    let whole = frames > 0 ? try wholeRun(model, output) : nil
    let title =
      "\(model.name) ×\(model.scale), \(videoSize.width)x\(videoSize.height), "
      + "\(options.backend.name) \(options.backend.precision.argument), "
      + "\(options.workers) threads"
    let result = BenchResult(title: title, engine: figures, latency: latency, whole: whole)
    try Console.print(json ? result.json : result.text)
  }

  /// Nil where a frame cannot be cut into bands, or for one thread.
  private func latency(_ model: Model, _ options: Upscaler.Options) throws -> LatencyBenchmark? {
    guard options.workers > 1, model.halo != nil else { return nil }
    return try LatencyBenchmark(
      model: model,
      options: options,
      width: videoSize.width,
      height: videoSize.height,
      seconds: seconds / 4,
    )
  }

  private func output(_ family: ModelFamily) -> OutputOptions {
    var output = OutputOptions(
      MediaPath("/dev/null"),
      size: size.outputSize(modelScale: family.scale)
    )
    output.format = "null"
    output.encoder.codec = "libx264"
    output.encoder.threads = engine.threads ?? 0
    return output
  }

  private func wholeRun(_ model: Model, _ output: OutputOptions) throws -> BenchResult.WholeRun {
    let clip = try GeneratedClip(
      width: videoSize.width,
      height: videoSize.height,
      frames: frames
    )
    // The file ends with it.
    defer { extendLifetime(clip) }
    var input = InputOptions(clip.path)
    input.decoderThreads = engine.threads ?? 0
    var options = TranscodeOptions(input: input, output: output)
    // What is measured is the engine, not what it is spared.
    options.repeatTolerance = nil
    options.memory = engine.memoryLimit
    let transcode = try Transcode(options) { (source, _) throws(EngineError) in
      try engine.needs(model, enlarging: source)
    }
    let (upscaler, work) = try engine.upscaler(
      model,
      width: videoSize.width,
      height: videoSize.height,
      memoryOfOthers: transcode.plan.byteCount,
      reusesUnchanged: false,
    )
    let report = try transcode.run(framesInFlight: work.framesInFlight) {
      (image) throws(EngineError) in
      try upscaler.upscale(image)
    }
    return BenchResult.WholeRun(report.progress, upscaler)
  }
}

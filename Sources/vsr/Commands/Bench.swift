internal import ArgumentParser
internal import Engine
internal import Pipeline

/// `vsr bench`: how fast this machine is, without any input.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure frames per second and where the time goes; needs no input.",
    discussion: """
      First the engine alone, then a whole run: decoding, conversion, engine and x264, over a generated clip.
      """,
  )

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
    let model = try Model(named: engine.model, autoencoder: engine.autoencoder)
    let figures = try EngineBenchmark(
      model: model,
      options: engine.upscalerOptions,
      width: videoSize.width,
      height: videoSize.height,
      seconds: seconds,
    )
    let whole = frames > 0 ? try wholeRun(model) : nil
    let result = BenchResult(
      title: "\(model.name) ×\(model.scale), \(videoSize.width)x\(videoSize.height), "
        + "\(engine.upscalerOptions.backend.name) \(engine.precision.rawValue), "
        + "\(engine.upscalerOptions.workers) threads",
      engine: figures,
      whole: whole,
    )
    try Console.print(json ? result.json : result.text)
  }

  private func wholeRun(_ model: Model) throws -> WholeRun {
    let clip = try GeneratedClip(
      width: videoSize.width,
      height: videoSize.height,
      frames: frames
    )
    defer { clip.remove() }
    var output = OutputOptions(MediaPath("/dev/null"), size: .times(Double(model.scale)))
    output.format = "null"
    output.encoder.codec = "libx264"
    var options = TranscodeOptions(input: InputOptions(clip.path), output: output)
    // What is measured is the engine, not what it is spared.
    options.reusesRepeats = false
    options.memory = engine.memoryLimit
    let transcode = try Transcode(options, leastForEngine: engine.leastMemory(model))
    let (upscaler, work) = try engine.upscaler(
      model,
      width: videoSize.width,
      height: videoSize.height,
      memoryOfOthers: transcode.plan.byteCount,
    )
    let report = try transcode.run(framesInFlight: work.framesInFlight) {
      (image) throws(EngineError) in
      try upscaler.upscale(image)
    }
    return WholeRun(report.progress, upscaler)
  }
}

/// The figures of a run through every stage.
private struct WholeRun {
  let framesPerSecond: Double
  let stages: StageShares

  init(_ progress: TranscodeProgress, _ upscaler: Upscaler) {
    framesPerSecond = Double(progress.frames) / progress.elapsed.seconds
    stages = StageShares(progress, upscaler)
  }

  /// The run's time as a multiple of the time that its slowest stage worked.
  var timesSlowest: Double { 1 / stages.slowest.share }
}

/// The figures of a measurement, as text and as JSON.
private struct BenchResult {
  let title: String
  let engine: EngineBenchmark
  let whole: WholeRun?

  var text: String {
    var lines = [
      title,
      "engine        \(engine.framesPerSecond.formatted(2)) fps,"
        + " \(engine.processorSecondsPerFrame.formatted(4)) s of processor time per frame",
      "convolutions  \(giga(engine.convolutionRate)) GFLOP/s, \(percent(engine.convolutionRate / engine.peak))"
        + " of the measured peak of \(giga(engine.peak))",
      "library alone \(engine.convolutionsAlone.formatted(2)) fps for the convolutions;"
        + " the engine reaches \(percent(engine.framesPerSecond / engine.convolutionsAlone)) of it",
      "time in       "
        + engine.shares.map { "\($0.operation) \(percent($0.share))" }.joined(separator: ", "),
    ]
    if let whole {
      let busy = whole.stages.shares.map { "\($0.name) \(percent($0.share))" }
      lines += [
        "whole run     \(whole.framesPerSecond.formatted(2)) fps with decoding and x264,"
          + " \(whole.timesSlowest.formatted(2)) times its slowest stage, \(whole.stages.slowest.name)",
        "stages busy   " + busy.joined(separator: ", "),
      ]
    }
    return lines.joined(separator: "\n")
  }

  var json: String {
    let shares = engine.shares.map { "\"\($0.operation)\": \($0.share.formatted(4))" }
    var fields = [
      "\"title\": \"\(title)\"",
      "\"engine_fps\": \(engine.framesPerSecond.formatted(3))",
      "\"engine_processor_seconds_per_frame\": \(engine.processorSecondsPerFrame.formatted(6))",
      "\"convolution_gflops\": \(giga(engine.convolutionRate))",
      "\"peak_gflops\": \(giga(engine.peak))",
      "\"convolutions_alone_fps\": \(engine.convolutionsAlone.formatted(3))",
      "\"shares\": {\(shares.joined(separator: ", "))}",
    ]
    if let whole {
      let stages = whole.stages.shares.map { "\"\($0.name)\": \($0.share.formatted(4))" }
      fields.append("\"whole_run_fps\": \(whole.framesPerSecond.formatted(3))")
      fields.append("\"whole_run_over_slowest_stage\": \(whole.timesSlowest.formatted(4))")
      fields.append("\"stage_shares\": {\(stages.joined(separator: ", "))}")
    }
    return "{" + fields.joined(separator: ", ") + "}"
  }

  private func giga(_ rate: Double) -> String { (rate / 1e9).formatted(1) }
  private func percent(_ share: Double) -> String { "\((share * 100).formatted(1))%" }
}

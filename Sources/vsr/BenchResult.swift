internal import Engine
internal import Pipeline

/// The figures of a measurement, as text and for programs.
struct BenchResult {
  let title: String
  let engine: EngineBenchmark
  let latency: LatencyBenchmark?
  let whole: WholeRun?

  /// The figures of a run through every stage.
  struct WholeRun {
    let framesPerSecond: Double
    let stages: StageShares

    init(_ progress: TranscodeProgress, _ upscaler: Upscaler) {
      framesPerSecond = progress.framesPerSecond
      stages = StageShares(progress, [upscaler])
    }

    /// The run's time as a multiple of the time that its slowest stage worked.
    var timesSlowest: Double { 1 / stages.slowest.share }
  }
}

extension BenchResult {
  var text: String {
    var lines = [
      title,
      "engine        \(engine.framesPerSecond.formatted(2)) fps,"
        + " \(engine.processorSecondsPerFrame.formatted(4)) s of processor time per frame",
      "convolutions  \(giga(engine.convolutionRate)) billion operations per second while they run"
        + shareOfPeak,
      "library alone \(engine.convolutionsAlone.formatted(2)) fps for the convolutions;"
        + " the engine reaches \(percent(engine.framesPerSecond / engine.convolutionsAlone)) of it",
      "time in       "
        + engine.shares.map { "\($0.operation) \(percent($0.share))" }.joined(separator: ", "),
    ]
    if let latency {
      lines.append(
        "one frame     \(milliseconds(latency.allWorkers)) ms with all threads, in bands;"
          + " \(milliseconds(latency.oneWorker)) ms with one, \(latency.gain.formatted(2)) times that"
      )
    }
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

  private var shareOfPeak: String {
    guard let peak = engine.peak else { return "" }
    return ", \(percent(engine.convolutionRate / peak)) of the measured peak of \(giga(peak))"
  }

  private func milliseconds(_ seconds: Double) -> String { (seconds * 1e3).formatted(1) }
  private func giga(_ rate: Double) -> String { (rate / 1e9).formatted(1) }
  private func percent(_ share: Double) -> String { "\((share * 100).formatted(1))%" }
}

extension BenchResult: Encodable {
  private enum Keys: CodingKey {
    case title, engineFps, engineProcessorSecondsPerFrame, convolutionGflops, peakGflops
    case convolutionsAloneFps, shares, frameSeconds, frameSecondsWithOneThread, wholeRunFps,
      wholeRunOverSlowestStage, stageShares
  }

  func encode(to encoder: any Encoder) throws {
    var keys = encoder.container(keyedBy: Keys.self)
    try keys.encode(title, forKey: .title)
    try keys.encode(engine.framesPerSecond, forKey: .engineFps)
    try keys.encode(engine.processorSecondsPerFrame, forKey: .engineProcessorSecondsPerFrame)
    try keys.encode(engine.convolutionRate / 1e9, forKey: .convolutionGflops)
    try keys.encodeIfPresent(engine.peak.map { $0 / 1e9 }, forKey: .peakGflops)
    try keys.encode(engine.convolutionsAlone, forKey: .convolutionsAloneFps)
    try keys.encode(dictionary(engine.shares.map { ($0.operation, $0.share) }), forKey: .shares)
    try keys.encodeIfPresent(latency?.allWorkers, forKey: .frameSeconds)
    try keys.encodeIfPresent(latency?.oneWorker, forKey: .frameSecondsWithOneThread)
    guard let whole else { return }
    try keys.encode(whole.framesPerSecond, forKey: .wholeRunFps)
    try keys.encode(whole.timesSlowest, forKey: .wholeRunOverSlowestStage)
    try keys.encode(
      dictionary(whole.stages.shares.map { ($0.name, $0.share) }),
      forKey: .stageShares
    )
  }

  private func dictionary(_ shares: [(String, Double)]) -> [String: Double] {
    Dictionary(shares, uniquingKeysWith: +)
  }
}

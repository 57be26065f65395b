internal import Engine
internal import Pipeline

/// What part of a run each stage worked, in the order in which frames pass through them.
///
/// The engine's share is the mean over its workers.
struct StageShares {
  /// A stage's name and its share of the run, 0…1.
  let shares: [(name: String, share: Double)]

  init(_ progress: TranscodeProgress, _ upscalers: [Upscaler]) {
    let elapsed = progress.elapsed.seconds
    var busy = progress.stages.map { (name: $0.name, seconds: $0.busy.seconds) }
    let afterDecoding = busy.firstIndex { $0.name == "encode" } ?? busy.endIndex
    let seconds = upscalers.reduce(0) { $0 + $1.busySecondsPerWorker }
    busy.insert(("upscale", seconds), at: afterDecoding)
    shares = busy.map { ($0.name, elapsed > 0 ? min($0.seconds / elapsed, 1) : 0) }
  }

  /// The stage that all others wait for.
  var slowest: (name: String, share: Double) {
    shares.max { $0.share < $1.share } ?? ("none", 1)
  }
}

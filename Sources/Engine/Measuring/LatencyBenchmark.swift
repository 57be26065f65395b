/// How long one picture takes from its arrival to its result when none comes before or after it, as in a live
/// stream: whole with one worker, and in one band for each of all workers.
public struct LatencyBenchmark: Sendable {
  /// Seconds of the clock with one worker.
  public let oneWorker: Double

  /// Seconds of the clock with all workers.
  public let allWorkers: Double

  /// How many times as soon all workers have the result.
  public var gain: Double { oneWorker / allWorkers }

  /// Measures a model on a generated picture of this size, for some seconds each.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)``, or that the picture does not fit the memory.
  public init(
    model: Model,
    options: Upscaler.Options,
    width: Int,
    height: Int,
    seconds: Double,
  ) throws(EngineError) {
    var one = options, all = options
    one.workers = 1
    one.tiling = .wholePicture
    all.tiling = .bands(options.workers)
    var times: [Double] = []
    for options in [one, all] {
      let plan = try WorkPlan(model: model, width: width, height: height, options: options)
      let upscaler = try Upscaler(model: model, options: options, plan: plan)
      times.append(try upscaler.secondsAlone(plan, seconds: seconds))
    }
    (oneWorker, allWorkers) = (times[0], times[1])
  }
}

extension Upscaler {
  /// The median over pictures that wait for each other.
  fileprivate func secondsAlone(_ plan: WorkPlan, seconds: Double) throws(EngineError) -> Double {
    let pictures = (0..<2).map { Image(pattern: $0, width: plan.width, height: plan.height) }
    // Warms up: programs, noise, memory.
    for picture in pictures { _ = try upscale(picture).wait() }
    var times: [Double] = []
    let start = monotonicSeconds()
    while times.isEmpty || monotonicSeconds() - start < seconds {
      let began = monotonicSeconds()
      _ = try upscale(pictures[times.count % 2]).wait()
      times.append(monotonicSeconds() - began)
    }
    return times.sorted()[times.count / 2]
  }
}

internal import Engine
internal import Pipeline

/// The ways in which a live run enlarges its frames, warmed up: the one that was asked for, and if the run is
/// adaptive those that are cheaper.
struct EngineLadder {
  /// One way.
  struct Rung {
    let model: Model
    let precision: Precision
    let upscaler: Upscaler
    let plan: WorkPlan

    /// The time that a frame takes when nothing else runs.
    let cost: Duration

    /// What a person calls it.
    var name: String { "\(model.name) \(precision.argument)" }
  }

  /// The ways, best first.
  let rungs: [Rung]

  /// What is said of ways that were left out.
  let notices: [Notice]

  // A way that saves less than this is not worth its memory.
  private static let largestPart = 0.85

  /// Prepares a model for pictures of the size in `plan`, and if the run `isAdaptive` what is cheaper.
  ///
  /// - Throws: An ``EngineError`` when the model that was asked for cannot run.
  init(
    _ engine: EngineOptions,
    _ model: Model,
    _ plan: TranscodePlan,
    reusesUnchanged: Bool,
    isAdaptive: Bool,
  ) throws(EngineError) {
    var rungs: [Rung] = []
    var notices: [Notice] = []
    for (model, precision) in try engine.ways(model, plan, isAdaptive: isAdaptive) {
      do throws(EngineError) {
        let taken = rungs.reduce(plan.byteCount) { $0 + $1.plan.addedByteCount }
        let rung = try Rung(model, precision, engine, plan, taken, reusesUnchanged)
        guard let last = rungs.last, rung.cost > last.cost * Self.largestPart else {
          rungs.append(rung)
          continue
        }
        notices.append(.leftOut(rung.name, "is not cheaper than \(last.name) here"))
      } catch {
        guard !rungs.isEmpty else { throw error }
        notices.append(.leftOut("\(model.name) \(precision.argument)", "\(error)"))
      }
    }
    if isAdaptive, rungs.count == 1 {
      let text = "nothing here is cheaper than \(rungs[0].name), so --adaptive changes nothing"
      notices.append(.warning(text))
    }
    self.rungs = rungs
    self.notices = notices
  }

  /// The most frames that any of the ways has in work or finished.
  var framesInFlight: Int { rungs.map(\.plan.framesInFlight).max() ?? 1 }

  /// The most frames that any of the ways works on at once.
  var framesAtOnce: Int { rungs.map(\.plan.framesAtOnce).max() ?? 1 }

  /// The ways as a run takes them.
  func ladder(onChange: @escaping @Sendable (_ old: String, _ new: String) -> Void) -> Ladder {
    let names = rungs.map(\.name)
    let ways = rungs.map { rung in
      let upscaler = rung.upscaler
      return Ladder.Rung(cost: rung.cost) { (image) throws(EngineError) in
        try upscaler.upscale(image)
      }
    }
    return Ladder(ways) { onChange(names[$0], names[$1]) }
  }
}

extension EngineLadder.Rung {
  fileprivate init(
    _ model: Model,
    _ precision: Precision,
    _ engine: EngineOptions,
    _ plan: TranscodePlan,
    _ memoryOfOthers: Int,
    _ reusesUnchanged: Bool,
  ) throws(EngineError) {
    var engine = engine
    engine.precision = PrecisionArgument(precision)
    let (upscaler, work) = try engine.upscaler(
      model,
      width: plan.sourceWidth,
      height: plan.sourceHeight,
      memoryOfOthers: memoryOfOthers,
      reusesUnchanged: reusesUnchanged,
      isLive: true,
    )
    let time = try upscaler.warmUp(width: plan.sourceWidth, height: plan.sourceHeight)
    self.init(
      model: model,
      precision: precision,
      upscaler: upscaler,
      plan: work,
      cost: time / min(work.workers, work.tiles.tiles.count),
    )
  }
}

extension Upscaler {
  /// Enlarges a few pictures, lest the first frame waits for the network to be compiled.
  ///
  /// - Returns: The processor time that one takes, which unlike the time on the clock is the same whatever
  ///   else the machine does.
  fileprivate func warmUp(width: Int, height: Int) throws(EngineError) -> Duration {
    var least = Double.infinity
    // The first compiles; no picture shows what the one before does.
    for number in 0..<3 {
      let image = Image(width: width, height: height, brightness: Float(number) / 4)
      let start = processorSeconds()
      _ = try upscale(image).wait()
      least = min(least, processorSeconds() - start)
    }
    beginCounting()
    return .seconds(least)
  }
}

extension Image {
  fileprivate convenience init(width: Int, height: Int, brightness: Float) {
    self.init(width: width, height: height)
    for plane in 0..<Image.planeCount {
      self.plane(plane).update(repeating: brightness, count: stride * height)
    }
  }
}

extension Notice {
  fileprivate static func leftOut(_ name: String, _ reason: String) -> Notice {
    .detail("--adaptive leaves out \(name): \(reason)")
  }
}

extension EngineOptions {
  /// The ways to enlarge pictures, best first: the one that was asked for, and if the run `isAdaptive` the
  /// precisions after it and then the bundled models that take less work.
  ///
  /// Adaptive, `auto` begins with the best precision, not with the fastest.
  fileprivate func ways(
    _ model: Model,
    _ plan: TranscodePlan,
    isAdaptive: Bool,
  ) throws(EngineError) -> [(Model, Precision)] {
    let first = try precision.precision(for: model, on: backend)
    guard isAdaptive else { return [(model, first)] }
    let smaller = try model.smallerBundled(plan).map { (model) throws(EngineError) in
      (model, try PrecisionArgument.auto.precision(for: model, on: backend))
    }
    guard backend != .openblas else { return [(model, first)] + smaller }
    let best = precision == .auto ? .float32 : first
    let own = [Precision.float32, .bfloat16, .int8].drop { $0 != best }
      .filter { $0 == best || model.isFast(in: $0) }
    return own.map { (model, $0) } + smaller
  }
}

extension Model {
  /// Whether this CPU has instructions for a precision and the model what it takes.
  fileprivate func isFast(in precision: Precision) -> Bool {
    precision.isAccelerated && (precision != .int8 || hasIntegerFactors)
  }

  /// Of every bundled family the model for a plan where it takes less work, the most first; of several
  /// that take the same there is one.
  fileprivate func smallerBundled(_ plan: TranscodePlan) throws(EngineError) -> [Model] {
    let models = try BundledModel.families.map { (name) throws(EngineError) in
      try ModelFamily(named: name).model(
        enlarging: (plan.sourceWidth, plan.sourceHeight),
        to: (plan.width, plan.height)
      )
    }
    let byWork = Dictionary(models.map { ($0.cost.multiplyAddsPerPixel, $0) }) { first, _ in first }
    return byWork.filter { $0.key < cost.multiplyAddsPerPixel }
      .sorted { $0.key > $1.key }
      .map(\.value)
  }
}

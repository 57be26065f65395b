/// How pictures of one size are worked on: how they are cut, by how many workers, and with how many frames
/// at a time, so that all of it stays within ``Upscaler/Options/memory``.
///
/// Made before the run. Of all ways that fit the fastest is taken, and of those that are nearly as fast the
/// one with the fewest tiles that are blended and that takes the least memory.
public struct WorkPlan: Sendable {
  /// Columns of the pictures.
  public let width: Int

  /// Rows of the pictures.
  public let height: Int

  /// How the pictures are cut.
  public let tiles: TilePlan

  /// The worker threads.
  public let workers: Int

  /// The frames that are begun and not yet written: enough to keep all workers busy.
  public let framesInFlight: Int

  /// The frames that keep all workers busy at any time; one where its tiles are enough for them.
  public var framesAtOnce: Int { (workers + tiles.tiles.count - 1) / tiles.tiles.count }

  /// The most memory that the run takes, with what others hold of it, in bytes.
  public let byteCount: Int

  /// The memory that the run takes as a rule, in bytes: without the reserve, and without programs for
  /// patches, which most videos never need.
  public var usualByteCount: Int { byteCount - Task.reservedByteCount - patchProgramByteCount }

  /// The part of ``byteCount`` that a second way to work on the same run's pictures adds.
  public let addedByteCount: Int

  /// Whether the noise of a frame is kept for the next.
  let keepsNoise: Bool

  /// How frames are cut of which only a part has changed; nil when every frame is computed whole.
  let patches: PatchPlan?

  private let patchProgramByteCount: Int

  let graph: Graph
  private let halo: Int

  /// Plans the work on pictures of this size.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - width: Columns of the pictures.
  ///   - height: Rows of the pictures.
  ///   - options: What the user chose; `workers` are the most that there will be.
  ///   - mayRest: Whether there may be fewer workers.
  /// - Throws: ``EngineError/memory(needed:limit:)`` when the memory is too small, and
  ///   ``EngineError/backend(operation:reason:)`` when the network cannot run at this size.
  public init(
    model: Model,
    width: Int,
    height: Int,
    options: Upscaler.Options,
    mayRest: Bool = true,
  ) throws(EngineError) {
    let choices = TileChoice.all(model: model, width: width, height: height, options: options)
    var rates = try Rates(model.network, options.backend)
    let task = Task(model: model, width: width, height: height, options: options, rates)
    let counts = mayRest ? 1...options.workers : options.workers...options.workers
    while true {
      let (choice, workers) = try task.best(of: choices, workers: counts, rates)
      let graph = model.network.windowGraph(height: choice.windowHeight, width: choice.windowWidth)
      let tiles = task.tiles(choice)
      let exact = try GraphMemory(graph, cores: tiles.cores, backend: options.backend)
      let byteCount = task.byteCount(choice, workers: workers, arena: exact.arenaByteCount)
      if byteCount <= task.limit {
        try self.init(task, choice, tiles, graph, workers: workers, byteCount: byteCount)
        return
      }
      // Larger by a hundredth at least, so that this ends.
      let found = Double(exact.arenaByteCount) / Double(choice.pixelCount)
      rates.bytesPerPixel = max(found, rates.bytesPerPixel * 1.01)
    }
  }

  /// The least memory with which there is a plan, in bytes, without what others take.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the network cannot run.
  public static func leastMemory(
    model: Model,
    width: Int,
    height: Int,
    options: Upscaler.Options,
  ) throws(EngineError) -> Int {
    let choices = TileChoice.all(model: model, width: width, height: height, options: options)
    let rates = try Rates(model.network, options.backend)
    let task = Task(model: model, width: width, height: height, options: options, rates)
    return task.leastByteCount(choices, workers: 1, rates)
  }

  private init(
    _ task: Task,
    _ choice: TileChoice,
    _ tiles: TilePlan,
    _ graph: Graph,
    workers: Int,
    byteCount: Int,
  ) throws(EngineError) {
    width = task.width
    height = task.height
    self.tiles = tiles
    self.workers = workers
    framesInFlight = Task.framesInFlight(workers: workers, tiles: choice.count)
    let keptNoise = task.keptNoiseByteCount(choice, beside: byteCount)
    keepsNoise = keptNoise != nil
    // Workers have none of their own then.
    let ownNoise = workers * task.noiseByteCount(choice)
    let withNoise = byteCount + (keptNoise.map { $0 - ownNoise } ?? 0)
    let patched = try task.patches(workers: workers, beside: withNoise)
    patches = patched?.plan
    patchProgramByteCount = patched?.programByteCount ?? 0
    self.byteCount = withNoise + (patched.map { $0.programByteCount + task.frame } ?? 0)
    addedByteCount = self.byteCount - task.sharedByteCount
    self.graph = graph
    halo = task.model.halo ?? 0
  }

  /// What a tile gets around it, or shares with its neighbours, in pixels of the input.
  public enum Surroundings: Hashable, Sendable {
    /// Pixels on each side that only help to compute the tile.
    case halo(Int)

    /// At least so many pixels that two tiles both contribute.
    case overlap(Int)
  }

  /// What tiles get around them; nil for whole pictures.
  public var surroundings: Surroundings? {
    guard tiles.tiles.count > 1 else { return nil }
    guard tiles.tiles[0].blend != nil else { return .halo(halo) }
    let starts = [tiles.tiles.map(\.window.x), tiles.tiles.map(\.window.y)]
    let overlaps = zip(starts, [tiles.windowWidth, tiles.windowHeight]).compactMap { starts, side in
      let sorted = Set(starts).sorted()
      return zip(sorted, sorted.dropFirst()).map { side - ($1 - $0) }.min()
    }
    return .overlap(overlaps.min() ?? 0)
  }

  /// Whether the plan is for pictures of this size.
  func fits(width: Int, height: Int) -> Bool { self.width == width && self.height == height }
}

/// What a network takes per pixel, found on a small picture.
private struct Rates {
  // Large enough for any network's down-sampling levels, small enough to be measured at once.
  private static let side = 64
  private static let pixelCount = Double(side * side)

  var bytesPerPixel: Double
  let multiplyAddsPerPixel: Double

  /// Attention over all pixels takes this much for each pair of them.
  let multiplyAddsPerPair: Double
  let memory: GraphMemory
  let inputs: [Shape]

  init(_ network: any Network, _ backend: any Backend) throws(EngineError) {
    let graph = network.windowGraph(height: Self.side, width: Self.side)
    memory = try GraphMemory(graph, backend: backend)
    bytesPerPixel = Double(memory.arenaByteCount) / Self.pixelCount
    multiplyAddsPerPixel = Double(graph.multiplyAddCount) / Self.pixelCount
    multiplyAddsPerPair =
      Double(graph.attentionMultiplyAddCount) / (Self.pixelCount * Self.pixelCount)
    inputs = graph.inputs.map { graph.shape(of: $0) }
  }

  /// The samples of noise per pixel.
  var noiseCount: Int { inputs.count > 1 ? inputs[1].count / (Self.side * Self.side) : 0 }
}

/// What has to be planned, and what each way to do it takes.
private struct Task {
  let model: Model
  let width: Int
  let height: Int
  let options: Upscaler.Options
  let limit: Int
  private let memory: GraphMemory
  private let noiseCount: Int

  // The program and its libraries, their generated code, and what allocators lose.
  private static let programByteCount = 128 << 20

  /// The part of it that most runs leave, by measurement: sizes from 160×90 to 640×360 and three encoders.
  static let reservedByteCount = 45 << 20

  // The library's objects for every layer and worker.
  private static let runnerByteCount = 2 << 20

  // Ways that take no more than this longer than the fastest count as fast.
  private static let tolerance = 1.05

  init(
    model: Model,
    width: Int,
    height: Int,
    options: Upscaler.Options,
    _ rates: Rates,
  ) {
    self.model = model
    self.width = width
    self.height = height
    self.options = options
    limit = options.memory ?? .max
    memory = rates.memory
    noiseCount = rates.noiseCount
  }

  /// The tiles of a picture that is cut in this way.
  func tiles(_ choice: TileChoice) -> TilePlan {
    TilePlan(
      model: model,
      width: width,
      height: height,
      side: choice.side,
      bands: choice.bands,
      blending: options.blending,
    )
  }

  /// Frames enough that no worker waits for the end of one: one more than they work on, of which one is
  /// written while the next is begun.
  static func framesInFlight(workers: Int, tiles: Int) -> Int {
    max(3, 1 + (workers + tiles - 1) / tiles)
  }

  /// The noise of a window.
  func noiseByteCount(_ choice: TileChoice) -> Int {
    choice.pixelCount * noiseCount * MemoryLayout<Float>.size
  }

  /// The memory for keeping the noise of a frame for the next, if it is the same and there is enough: a
  /// small part of the limit, beside what the run takes anyway.
  func keptNoiseByteCount(_ choice: TileChoice, beside byteCount: Int) -> Int? {
    let kept = choice.count * noiseByteCount(choice)
    let isKept = options.noise == .still && kept <= min(limit / 8, limit - byteCount)
    return isKept ? kept : nil
  }

  /// Patches and what they take, if there is memory for them beside what the run takes anyway.
  func patches(
    workers: Int,
    beside byteCount: Int,
  ) throws(EngineError) -> (plan: PatchPlan, programByteCount: Int)? {
    guard
      let plan = PatchPlan(model: model, width: width, height: height, options: options)
    else { return nil }
    let programs = try plan.programByteCount(workers: workers, backend: options.backend)
    // The last frame and its result are kept besides.
    return byteCount + programs + frame <= limit ? (plan, programs) : nil
  }

  /// The best way to work, and its number of workers.
  func best(
    of choices: [TileChoice],
    workers: ClosedRange<Int>,
    _ rates: Rates,
  ) throws(EngineError) -> (choice: TileChoice, workers: Int) {
    let ways = choices.compactMap { choice -> Way? in
      let arena = Int(rates.bytesPerPixel * Double(choice.pixelCount))
      let count = workers.last { byteCount(choice, workers: $0, arena: arena) <= limit }
      return count.map {
        Way(
          choice: choice,
          workers: $0,
          time: time(choice, workers: $0, rates),
          byteCount: byteCount(choice, workers: $0, arena: arena),
        )
      }
    }
    let shortest = ways.map(\.time).min() ?? 0
    let fast = ways.filter { $0.time <= shortest * Self.tolerance }
    // Cuts that are blended change the picture a little: the fewer, the better. Bands are computed with fewer
    // rows than their windows have.
    let best = fast.min { one, other in
      (one.choice.blendedCount, one.choice.bands == nil ? 1 : 0, one.byteCount)
        < (other.choice.blendedCount, other.choice.bands == nil ? 1 : 0, other.byteCount)
    }
    guard let best else {
      let needed = leastByteCount(choices, workers: workers.lowerBound, rates)
      throw .memory(needed: needed, limit: limit)
    }
    return (best.choice, best.workers)
  }

  // Of a frame among many, or where bands are asked for, and so one frame should be done soon, of one by itself.
  private func time(_ choice: TileChoice, workers: Int, _ rates: Rates) -> Double {
    let work = choice.work(rates)
    guard case .bands = options.tiling else { return work / Double(workers) }
    let rounds = (choice.count + workers - 1) / workers
    return work / Double(choice.count) * Double(rounds)
  }

  /// The memory that the run takes with the smallest tiles.
  func leastByteCount(_ choices: [TileChoice], workers: Int, _ rates: Rates) -> Int {
    choices.map { choice in
      let arena = Int(rates.bytesPerPixel * Double(choice.pixelCount))
      return byteCount(choice, workers: workers, arena: arena)
    }
    .min() ?? 0
  }

  /// The memory of a run whose programs have arenas of this size.
  func byteCount(_ choice: TileChoice, workers: Int, arena: Int) -> Int {
    let floatSize = MemoryLayout<Float>.size
    let result = choice.pixelCount * Image.planeCount * model.scale * model.scale * floatSize
    var perWorker = arena + choice.pixelCount * Image.planeCount * floatSize
    perWorker += noiseByteCount(choice)
    // Tiles that wait for their turn to be blended.
    perWorker += choice.isBlended ? 2 * result : 0
    return sharedByteCount + memory.weightByteCount
      + 4 * memory.layerByteCount
      + workers * (perWorker + Self.runnerByteCount)
      + Self.framesInFlight(workers: workers, tiles: choice.count) * frame
  }

  /// What the run takes however pictures are worked on.
  var sharedByteCount: Int { options.memoryOfOthers + Self.programByteCount }

  // A frame and its result.
  var frame: Int {
    Image.byteCount(width: width, height: height)
      + Image.byteCount(width: width * model.scale, height: height * model.scale)
  }

  private struct Way {
    let choice: TileChoice
    let workers: Int
    let time: Double
    let byteCount: Int
  }
}

extension TileChoice {
  /// Multiplications with addition for a frame.
  fileprivate func work(_ rates: Rates) -> Double {
    let pixels = Double(pixelCount)
    let tile =
      pixels * rates.multiplyAddsPerPixel + pixels * pixels * rates.multiplyAddsPerPair
    // A network without convolutions, as tests have them, works once per pixel.
    return Double(count) * max(tile, pixels)
  }
}

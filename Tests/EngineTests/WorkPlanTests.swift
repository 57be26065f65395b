import TestSupport
import Testing

@testable import Engine

@Suite struct WorkPlanTests {
  private static let fixtures = repositoryRoot + "Tests/EngineTests/Fixtures/"
  static let models = [
    "fast", fixtures + "rrdb-x2.pth", fixtures + "rrdb-x4.pth", fixtures + "span-x4.pth",
    fixtures + "srvgg-x4.pth",
  ]
  static let allBackends: [any Backend] =
    backends + floatPrecisions.dropFirst().map { OneDNNBackend(precision: $0) }

  @Test(arguments: models, 0..<allBackends.count)
  func knowsWhatAProgramTakes(model: String, backend: Int) throws {
    let network = try Model(named: model).network
    try expectMemory(of: network.graph(height: 48, width: 72), on: Self.allBackends[backend])
  }

  @Test(.enabled(if: SharedFolder.fixtures.isExpected), arguments: 0..<allBackends.count)
  func knowsWhatThePapersNetworksTake(backend: Int) throws {
    let backend = Self.allBackends[backend]
    for network in try Self.papersModels().map(\.network) {
      try expectMemory(of: network.graph(height: 64, width: 128), on: backend)
    }
  }

  // A frame by itself is done soonest in as many parts as there are threads, though bands have more halo: up to
  // where they are nearly all halo.
  @Test(arguments: [(320, 180, 8, 8), (640, 360, 8, 8), (640, 360, 16, 15), (1280, 720, 4, 4)])
  func liveFramesAreCutForAllThreads(width: Int, height: Int, threads: Int, parts: Int) throws {
    var options = Upscaler.Options()
    options.workers = threads
    options.tiling = .bands(threads)
    let model = try Model(named: "fast")
    let plan = try WorkPlan(model: model, width: width, height: height, options: options)
    #expect(plan.workers == threads && plan.tiles.tiles.count == parts)
  }

  // In 8 bits the result and what is shuffled into it are the largest values.
  @Test func aRowThatIsHandedOverTakesLessThanAPicture() throws {
    var graph = try Model(named: "fast").network.graph(height: 90, width: 160)
    let backend = OneDNNBackend(precision: .int8)
    let whole = try backend.compile(graph).arenaByteCount
    graph.isHandedOver = true
    let rows = try backend.compile(graph).arenaByteCount
    #expect(whole - rows > 360 * 640 * 3 * 4 / 2)
  }

  private func expectMemory(of graph: Graph, on backend: any Backend) throws {
    for (cores, isHandedOver) in [([], false), ([9..<21, 12..<20], false), ([], true)] {
      var graph = graph
      graph.isHandedOver = isHandedOver
      let expected = try GraphMemory(graph, cores: cores, backend: backend)
      let actual = try backend.compile(graph, cores: cores)
      #expect(expected.arenaByteCount == actual.arenaByteCount)
      #expect(expected.weightByteCount > 0)
    }
  }

  static let sizes = [(1, 1), (17, 300), (640, 480), (1921, 1079)]
  static let limits = [300, 500, 1000, 2000, 4000, 16000].map { $0 << 20 }

  @Test(arguments: sizes, [1, 3, 16])
  func staysWithinTheLimit(size: (Int, Int), workers: Int) throws {
    var models = try Self.models.prefix(2).map { try Model(named: $0) }
    if SharedFolder.fixtures.isExpected { models += try Self.papersModels() }
    for model in models {
      var options = Upscaler.Options()
      options.workers = workers
      var plans: [WorkPlan] = []
      for limit in Self.limits {
        options.memory = limit
        do throws(EngineError) {
          let plan = try WorkPlan(model: model, width: size.0, height: size.1, options: options)
          #expect(plan.byteCount <= limit && (1...workers).contains(plan.workers))
          #expect(plan.framesInFlight >= 3)
          plans.append(plan)
        } catch {
          guard case .memory(let needed, limit) = error else { throw error }
          #expect(needed > limit && plans.isEmpty)
        }
      }
      #expect(!plans.isEmpty)
    }
  }

  @Test func whatIsNeededIsEnough() throws {
    let model = try Model(named: "fast")
    var options = Upscaler.Options()
    options.memory = 1 << 20
    let needed = try #require(
      #expect(throws: EngineError.self) {
        try WorkPlan(model: model, width: 640, height: 360, options: options)
      }?.neededMemory
    )
    options.memory = needed + needed / 50
    let plan = try WorkPlan(model: model, width: 640, height: 360, options: options)
    #expect(plan.workers == 1 && plan.byteCount <= needed + needed / 50)
  }

  @Test func theUsersTilesWin() throws {
    let model = try Model(named: "fast")
    var options = Upscaler.Options()
    options.tiling = .side(32)
    options.memory = nil
    let plan = try WorkPlan(model: model, width: 640, height: 360, options: options)
    #expect(plan.tiles.tiles.count == 20 * 12 && plan.surroundings == .halo(model.halo ?? 0))

    options.tiling = .wholePicture
    #expect(
      try WorkPlan(model: model, width: 640, height: 360, options: options).surroundings == nil
    )
    options.memory = plan.byteCount
    #expect(throws: EngineError.self) {
      try WorkPlan(model: model, width: 1920, height: 1080, options: options)
    }
  }

  @Test func fewFramesKeepManyWorkersBusy() throws {
    var options = Upscaler.Options()
    (options.workers, options.memory) = (8, nil)
    let model = try Model(named: "fast")
    options.tiling = .wholePicture
    let whole = try WorkPlan(model: model, width: 64, height: 64, options: options)
    #expect(whole.framesInFlight == 9)
    options.tiling = .side(16)
    let cut = try WorkPlan(model: model, width: 64, height: 64, options: options)
    #expect(cut.framesInFlight == 3)
  }

  private static func papersModels() throws -> [Model] {
    let files = try ["ctmsr-tiny/ctmsr", "tadsr-tiny/unet", "tadsr-tiny/autoencoder"].map {
      try SharedFolder.fixtures.path("\($0).pth")
    }
    return [try Model(named: files[0]), try Model(named: files[1], autoencoder: files[2])]
  }
}

extension EngineError {
  fileprivate var neededMemory: Int? {
    guard case .memory(let needed, _) = self else { return nil }
    return needed
  }
}

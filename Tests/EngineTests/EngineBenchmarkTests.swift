import TestSupport
import Testing

@testable import Engine

@Suite struct EngineBenchmarkTests {
  /// Two workers with three pictures would say a quarter less than what they can do.
  @Test(arguments: [1, 2, 4, 5])
  func everyWorkerHasAsManyPictures(workers: Int) throws {
    let frames = try frames(workers: workers, tiling: .wholePicture)
    #expect(frames >= workers && frames.isMultiple(of: workers))
  }

  /// Pictures that take minutes should not be as many as a large machine has processors.
  @Test func workersThatShareAPictureNeedNoneOfTheirOwn() throws {
    #expect(try frames(workers: 8, tiling: .side(4)) == 3)
  }

  /// Blocks of two pixels, in a picture that is none of them, whole and cut.
  @Test(arguments: [Upscaler.Tiling.wholePicture, .side(17)])
  func ratesAreThoseOfThePlanWhereBlocksAreTaken(tiling: Upscaler.Tiling) throws {
    let model = try Model(named: repositoryRoot + "Tests/EngineTests/Fixtures/rrdb-x2.pth")
    try expectRates(model, width: 33, height: 25, tiling: tiling)
  }

  /// Windows of 64 pixels, which no side of the picture fills.
  @Test(.enabled(if: SharedFolder.fixtures.isExpected))
  func ratesAreThoseOfThePlanWhereWindowsAreTaken() throws {
    let model = try Model(named: SharedFolder.fixtures.path("ctmsr-tiny/ctmsr.pth"))
    try expectRates(model, width: 32, height: 24, tiling: .automatic)
  }

  private func expectRates(
    _ model: Model,
    width: Int,
    height: Int,
    tiling: Upscaler.Tiling,
  ) throws {
    var options = Upscaler.Options()
    options.tiling = tiling
    let benchmark = try EngineBenchmark(
      model: model,
      options: options,
      width: width,
      height: height,
      seconds: 0.01,
    )
    let plan = try WorkPlan(model: model, width: width, height: height, options: options)
    let multiplyAddCount = plan.graph.multiplyAddCount(cores: plan.tiles.cores)
    #expect(benchmark.convolutionOperations == 2 * multiplyAddCount * plan.tiles.tiles.count)
    // Convolutions take a part of the time, and their rate is that in this part.
    let rate = benchmark.framesPerSecond * Double(benchmark.convolutionOperations)
    let share = try #require(benchmark.shares.first { $0.operation == "convolution" }?.share)
    #expect(rate <= share * benchmark.convolutionRate)
    #expect(benchmark.convolutionsAlone > 0)
  }

  /// How many pictures a run takes at least.
  private func frames(workers: Int, tiling: Upscaler.Tiling) throws -> Int {
    var options = Upscaler.Options()
    (options.workers, options.tiling) = (workers, tiling)
    let model = try Model(named: "fast")
    let plan = try WorkPlan(model: model, width: 16, height: 16, options: options)
    return try Upscaler(model: model, options: options, plan: plan).run(plan, seconds: 0).frames
  }
}

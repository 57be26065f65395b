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

  /// How many pictures a run takes at least.
  private func frames(workers: Int, tiling: Upscaler.Tiling) throws -> Int {
    var options = Upscaler.Options()
    (options.workers, options.tiling) = (workers, tiling)
    let model = try Model(named: "fast")
    let plan = try WorkPlan(model: model, width: 16, height: 16, options: options)
    return try Upscaler(model: model, options: options, plan: plan).run(plan, seconds: 0).frames
  }
}

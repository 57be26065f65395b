import Testing

@testable import Engine

@Suite struct EngineBenchmarkTests {
  /// Two workers with three pictures would say a quarter less than what they can do.
  @Test(arguments: [1, 2, 4, 5])
  func everyWorkerHasAsManyPictures(workers: Int) throws {
    var options = Upscaler.Options()
    options.workers = workers
    let model = try Model(named: "fast")
    let plan = try WorkPlan(model: model, width: 16, height: 16, options: options)
    let upscaler = Upscaler(model: model, options: options, plan: plan)

    let frames = try upscaler.run(plan, seconds: 0).frames

    #expect(frames >= workers && frames.isMultiple(of: workers))
  }
}

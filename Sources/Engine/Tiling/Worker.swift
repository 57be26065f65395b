internal import EngineC

/// One thread that runs tiles, with a program and an input tensor of its own.
final class Worker: Sendable {
  private let thread: WorkerThread
  private let times: Monitor<[String: Double]>

  /// The seconds spent so far, by operation.
  var seconds: [String: Double] { times.withLock { $0 } }

  init(_ tasks: TaskQueue) {
    let times = Monitor<[String: Double]>([:])
    self.times = times
    thread = WorkerThread {
      enginec_use_one_thread()
      var bench: TileBench?
      while let task = tasks.next() {
        task.job.finishTile(run(task, on: &bench))
        if let bench { times.withLock { $0 = bench.seconds } }
      }
    }
  }

  func join() { thread.join() }
}

/// Runs one tile, on a bench that is renewed when the frame size changes.
private func run(_ task: TaskQueue.Task, on bench: inout TileBench?) -> EngineError? {
  do throws(EngineError) {
    if bench?.plan !== task.job.plan {
      bench = nil  // its memory first
      bench = try TileBench(task.job.plan)
    }
    try bench?.run(task.job, tile: task.tile)
    return nil
  } catch {
    return error
  }
}

/// What a worker needs for frames of one size.
private struct TileBench {
  let plan: FramePlan
  private let program: Program
  private let input: Tensor
  private var noise: Tensor?
  private var loading = 0.0
  private var storing = 0.0

  init(_ plan: FramePlan) throws(EngineError) {
    self.plan = plan
    program = try Program(plan.graph)
    input = Tensor(shape: plan.graph.inputShapes[0])
  }

  var seconds: [String: Double] {
    program.secondsByOperation.merging(["load": loading, "store": storing]) { $0 + $1 }
  }

  mutating func run(_ job: FrameJob, tile index: Int) throws(EngineError) {
    let start = monotonicSeconds()
    job.image.load(plan.tiles[index].window, into: input)
    let noise = plan.noise(tile: index, frame: job.number, own: &noise)
    loading += monotonicSeconds() - start

    let output = try program.run([input] + (noise.map { [$0] } ?? []))

    let end = monotonicSeconds()
    job.add(output, tile: index)
    storing += monotonicSeconds() - end
  }
}

internal import EngineC

/// One thread that runs tiles, with a program and an input tensor of its own.
final class Worker: Sendable {
  private let thread: WorkerThread
  private let times: Monitor<[String: Double]>

  /// The seconds spent so far, by operation.
  var seconds: [String: Double] { times.withLock { $0 } }

  /// Starts one of `count` workers.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the system starts no more threads.
  init(_ tasks: TaskQueue, among count: Int) throws(EngineError) {
    let times = Monitor<[String: Double]>([:])
    self.times = times
    thread = try WorkerThread(among: count) {
      enginec_use_one_thread()
      var benches: [TileBench] = []
      while let task = tasks.next() {
        let error = run(task, on: &benches)
        // Before anyone can have the result, so that the times are those of all results.
        times.withLock {
          $0 = benches.reduce(into: [:]) { $0.merge($1.seconds, uniquingKeysWith: +) }
        }
        task.job.finishTile(error)
      }
    }
  }

  func join() { thread.join() }
}

extension [Worker] {
  /// Starts `count` workers, or none.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the system starts fewer threads; the queue is
  ///   closed then.
  init(_ tasks: TaskQueue, count: Int) throws(EngineError) {
    self = []
    do throws(EngineError) {
      while self.count < count { append(try Worker(tasks, among: count)) }
    } catch {
      tasks.close()
      for worker in self { worker.join() }
      throw error
    }
  }
}

/// Runs one tile, on the bench for its plan; benches for frames of another size are given up first.
private func run(_ task: TaskQueue.Task, on benches: inout [TileBench]) -> EngineError? {
  let plan = task.job.plan
  do throws(EngineError) {
    benches.removeAll { $0.plan.results !== plan.results }
    if !benches.contains(where: { $0.plan === plan }) { benches.append(try TileBench(plan)) }
    for index in benches.indices where benches[index].plan === plan {
      try benches[index].run(task.job, tile: task.tile)
    }
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
  private var running = 0.0

  init(_ plan: FramePlan) throws(EngineError) {
    self.plan = plan
    program = try Program(plan.graph)
    input = Tensor(shape: plan.graph.inputShapes[0])
  }

  var seconds: [String: Double] {
    let steps = program.secondsByOperation
    let storing = running - steps.values.reduce(0, +)
    return steps.merging(["load": loading, "store": storing]) { $0 + $1 }
  }

  mutating func run(_ job: FrameJob, tile index: Int) throws(EngineError) {
    let start = monotonicSeconds()
    job.image.load(job.tiles[index].window, into: input)
    let noise = plan.noise(for: job, tile: index, own: &noise)
    loading += monotonicSeconds() - start

    let loaded = monotonicSeconds()
    try job.run(program, [input] + (noise.map { [$0] } ?? []), tile: index)
    running += monotonicSeconds() - loaded
  }
}

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
    if bench?.plan !== task.job.plan { bench = try TileBench(task.job.plan) }
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
    let tile = plan.tiles[index]
    let start = monotonicSeconds()
    load(tile.window, of: job.image)
    let noise = plan.noise(tile: index)
    loading += monotonicSeconds() - start

    let output = try program.run([input] + (noise.map { [$0] } ?? []))

    let end = monotonicSeconds()
    store(tile, from: output, into: job.result)
    storing += monotonicSeconds() - end
  }

  private func load(_ window: PixelRect, of image: Image) {
    let inside = min(window.width, image.width - window.x)
    for row in 0..<window.height {
      let y = mirrored(window.y + row, count: image.height)
      let start = y * image.stride + window.x
      let pixels = input.pointer + row * window.width * 3
      enginec_load_row(
        pixels,
        image.plane(0) + start,
        image.plane(1) + start,
        image.plane(2) + start,
        inside
      )
      for x in inside..<window.width {
        (pixels + x * 3).update(from: pixels + mirrored(x, count: inside) * 3, count: 3)
      }
    }
  }

  /// A row or column beyond the last one is what lies as far before it.
  private func mirrored(_ index: Int, count: Int) -> Int {
    index < count ? index : max(0, 2 * (count - 1) - index)
  }

  private func store(_ tile: TilePlan.Tile, from output: UnsafePointer<Float>, into image: Image) {
    let (core, window, scale) = (tile.core, tile.window, plan.scale)
    let width = window.width * scale
    for row in 0..<(core.height * scale) {
      let y = (core.y - window.y) * scale + row
      let source = output + (y * width + (core.x - window.x) * scale) * 3
      let start = (core.y * scale + row) * image.stride + core.x * scale
      enginec_store_row(
        image.plane(0) + start,
        image.plane(1) + start,
        image.plane(2) + start,
        source,
        core.width * scale
      )
    }
  }
}

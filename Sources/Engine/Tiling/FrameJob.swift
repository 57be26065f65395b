internal import Synchronization

/// One frame on its way through the workers.
final class FrameJob: Sendable {
  let image: Image
  let plan: FramePlan

  /// What is computed; the rest is as in the frame before.
  let tiles: [TilePlan.Tile]

  /// The number of the frame, counted from zero.
  let number: Int

  let result: Image
  let pending = PendingImage()

  private let remaining: Atomic<Int>
  private let blending: Monitor<TileBlend>?
  private let failure = Monitor<EngineError?>(nil)
  private let before: Monitor<FrameJob?>

  // The result when patches are stored in it, which may overlap.
  private let patched: Monitor<Image>?

  /// A frame of which every tile is computed.
  convenience init(image: Image, plan: FramePlan, number: Int) {
    self.init(
      image: image,
      plan: plan,
      number: number,
      tiles: plan.tiles,
      before: nil,
    )
  }

  /// A frame that shows what the one before does except in these tiles, which may overlap; there is at
  /// least one.
  init(image: Image, plan: FramePlan, number: Int, tiles: [TilePlan.Tile], before: FrameJob?) {
    self.image = image
    self.plan = plan
    self.number = number
    self.tiles = tiles
    self.before = Monitor(before)
    result = plan.results.image()
    patched = plan.tiles.isEmpty ? Monitor(result) : nil
    remaining = Atomic(tiles.count)
    blending = tiles[0].blend == nil ? nil : Monitor(TileBlend(plan, into: result))
  }

  /// Runs the network on a tile's window and adds what it makes of it to the result.
  func run(_ program: Program, _ inputs: [Tensor], tile index: Int) throws(EngineError) {
    let tile = tiles[index]
    if let blending {
      let output = try program.run(inputs, core: tile.coreRows)
      return blending.withLock { $0.add(output, tile: index) }
    }
    try program.run(inputs, core: tile.coreRows) { rows, output in
      guard let patched else { return result.store(rows, output, of: tile, scale: plan.scale) }
      patched.withLock { $0.store(rows, output, of: tile, scale: plan.scale) }
    }
  }

  /// Notes that a tile is done; the last one delivers the frame, or the first error.
  func finishTile(_ error: EngineError?) {
    if let error { failure.withLock { $0 = $0 ?? error } }
    guard remaining.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
    if let error = failure.withLock({ $0 }) { return pending.complete(.failure(error)) }
    // It is let go, lest every frame keeps all before it.
    let last = before.withLock { before in
      defer { before = nil }
      return before?.pending
    }
    guard let last else { return pending.complete(.success(result)) }
    // Whoever finishes that one then does the copy; no worker waits.
    last.whenReady { self.complete(with: last) }
  }

  // Copies what is as in the frame before, whose result is there.
  private func complete(with last: PendingImage) {
    do throws(EngineError) {
      result.copy(try last.wait(), except: tiles.map { $0.core.scaled(by: plan.scale) })
      pending.complete(.success(result))
    } catch {
      pending.complete(.failure(error))
    }
  }
}

/// The tiles that wait for a worker, in the order in which frames came.
final class TaskQueue: Sendable {
  struct Task {
    let job: FrameJob
    let tile: Int
  }

  private struct State {
    var jobs: [FrameJob] = []
    var nextTile = 0
    var isClosed = false
  }

  private let state = Monitor(State())

  /// Adds the tiles of a frame.
  func add(_ job: FrameJob) {
    state.withLock { $0.jobs.append(job) }
    state.wakeAll()
  }

  /// Lets workers end when no task is left.
  func close() {
    state.withLock { $0.isClosed = true }
    state.wakeAll()
  }

  /// Waits for a task and removes it; nil when the queue is closed and empty.
  func next() -> Task? {
    state.wait { state -> Task?? in
      guard let job = state.jobs.first else { return state.isClosed ? .some(nil) : nil }
      let task = Task(job: job, tile: state.nextTile)
      state.nextTile += 1
      if state.nextTile == job.tiles.count {
        state.jobs.removeFirst()
        state.nextTile = 0
      }
      return task
    }
  }
}

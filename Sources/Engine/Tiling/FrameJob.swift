internal import Synchronization

/// One frame on its way through the workers.
final class FrameJob: Sendable {
  let image: Image
  let plan: FramePlan

  /// The number of the frame, counted from zero.
  let number: Int

  let result: Image
  let pending = PendingImage()

  private let remaining: Atomic<Int>
  private let blending: Monitor<TileBlend>?
  private let failure = Monitor<EngineError?>(nil)

  init(image: Image, plan: FramePlan, number: Int) {
    self.image = image
    self.plan = plan
    self.number = number
    result = plan.results.image()
    remaining = Atomic(plan.tiles.count)
    blending = plan.tiles[0].blend == nil ? nil : Monitor(TileBlend(plan, into: result))
  }

  /// Adds what the network made of a tile's window to the result.
  func add(_ output: UnsafePointer<Float>, tile index: Int) {
    if let blending {
      blending.withLock { $0.add(output, tile: index) }
    } else {
      result.store(output, of: plan.tiles[index], scale: plan.scale)
    }
  }

  /// Notes that a tile is done; the last one delivers the frame, or the first error.
  func finishTile(_ error: EngineError?) {
    if let error { failure.withLock { $0 = $0 ?? error } }
    guard remaining.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
    if let error = failure.withLock({ $0 }) {
      pending.complete(.failure(error))
    } else {
      pending.complete(.success(result))
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

  /// Adds all tiles of a frame.
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
      if state.nextTile == job.plan.tiles.count {
        state.jobs.removeFirst()
        state.nextTile = 0
      }
      return task
    }
  }
}

internal import Dispatch
internal import Engine

/// The stages of one run: started together, ended by the first error.
final class StageGroup: Sendable {
  private struct State {
    var error: MediaError?
    var awaited = 0
    var abandoned = 0
    var isComplete = false
  }

  private let state = Monitor(State())
  private let cancelQueues: @Sendable () -> Void

  /// Creates a group that calls `cancelQueues` when a stage fails, to wake the others.
  init(cancelQueues: @escaping @Sendable () -> Void) {
    self.cancelQueues = cancelQueues
  }

  /// Whether a stage has failed or somebody cancelled the run.
  var hasFailed: Bool { state.withLock { $0.error != nil } }

  /// Starts `stage` on its own thread.
  func start(_ stage: some Stage, _ meter: StageMeter, _ ending: StageEnding) {
    count(1, ending)
    // A serial queue of its own: blocking on a shared one could keep other stages from starting.
    DispatchQueue(label: "vsr." + meter.name).async { [self] in
      meter.start()
      do throws(MediaError) {
        try stage.run(meter)
        stage.close()
      } catch {
        fail(error)
      }
      meter.stop()
      count(-1, ending)
      state.wakeAll()
    }
  }

  /// Ends the run with `error`, unless it has ended with another before.
  func fail(_ error: MediaError) {
    state.withLock { $0.error = $0.error ?? error }
    cancelQueues()
    state.wakeAll()
  }

  /// Says that the output is complete; what fails afterwards no longer matters.
  func complete() {
    state.withLock { $0.isComplete = true }
  }

  /// Waits until the stages have ended.
  ///
  /// - Throws: The first error of any stage.
  func join() throws(MediaError) {
    let error = state.wait { state -> MediaError?? in
      let isOver = state.awaited == 0 && (state.abandoned == 0 || state.error != nil)
      return isOver ? .some(state.isComplete ? nil : state.error) : .none
    }
    if let error { throw error }
  }

  private func count(_ change: Int, _ ending: StageEnding) {
    state.withLock { state in
      switch ending {
      case .awaited: state.awaited += change
      case .abandoned: state.abandoned += change
      }
    }
  }
}

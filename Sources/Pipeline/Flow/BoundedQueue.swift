internal import Engine

/// Hands values from one thread to another, and makes the faster of the two wait.
///
/// A class because two stages share it. Safe because the slots are touched only with the monitor's
/// lock held, and each by the one thread that ``QueueState`` names.
@safe
final class BoundedQueue<Element: ~Copyable & Sendable>: @unchecked Sendable {
  private let state: Monitor<QueueState>
  private let slots: UnsafeMutablePointer<Element>

  /// Creates an empty queue for at most `capacity` values, and `spare` more that are light, filled by
  /// `producers` threads.
  init(capacity: Int, spare: Int = 0, producers: Int = 1) {
    state = Monitor(QueueState(capacity: capacity, spare: spare, producers: producers))
    unsafe slots = .allocate(capacity: capacity + spare)
  }

  deinit {
    cancel()
    unsafe slots.deallocate()
  }

  /// Lowers the capacity of a queue that has never had a value.
  func limit(to capacity: Int) {
    state.withLock { $0.limit(to: capacity) }
  }

  /// Adds a value at the end; waits while the queue is full.
  ///
  /// A light value is one that holds hardly any memory.
  ///
  /// - Returns: Whether the value will be taken: `false` after ``cancel()`` or ``close()``.
  func push(_ element: consuming Element, isLight: Bool = false) -> Bool {
    var element: Element? = element
    let isAccepted = state.wait { state in
      switch state.push(isLight: isLight) {
      case .wait: return Bool?.none
      case .refuse: return false
      case .store(let slot):
        if let element = element.take() { unsafe (slots + slot).initialize(to: element) }
        return true
      }
    }
    state.wakeAll()
    return isAccepted
  }

  /// Takes the first value; waits while the queue is empty and may still be filled.
  ///
  /// - Returns: `nil` when nothing will come any more.
  func pop() -> Element? {
    var element: Element?
    state.wait { state in
      switch state.pop() {
      case .wait: return Void?.none
      case .end: return ()
      case .take(let slot):
        element = unsafe (slots + slot).move()
        return ()
      }
    }
    state.wakeAll()
    return element
  }

  /// Says that this producer adds no more; values in the queue can still be taken.
  ///
  /// Each producer calls it once; the queue ends after the last one.
  func close() {
    state.withLock { $0.close() }
    state.wakeAll()
  }

  /// Ends everything at once: values in the queue are dropped, and both sides are told.
  func cancel() {
    state.withLock { state in
      for slot in state.cancel() { unsafe (slots + slot).deinitialize(count: 1) }
    }
    state.wakeAll()
  }
}

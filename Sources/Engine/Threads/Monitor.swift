internal import Glibc

/// A value, the lock that guards it and the condition that threads wait on.
///
/// Built on pthreads because waiting needs a condition variable. A class because it is shared between
/// threads; safe because the value is reached only with the lock held.
package final class Monitor<Value>: @unchecked Sendable {
  private var value: Value
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// Creates a monitor that guards `value`.
  package init(_ value: sending Value) {
    self.value = value
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` with the lock held.
  package func withLock<R, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> R
  ) throws(Failure) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }

  /// Blocks until `body` returns a value; `body` runs with the lock held, first at once and then
  /// after each ``wakeAll()``.
  package func wait<R>(until body: (inout Value) -> R?) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&value) { return result }
      pthread_cond_wait(condition, mutex)
    }
  }

  /// As ``wait(until:)``, but gives up after some seconds and returns nil.
  package func wait<R>(seconds: Double, until body: (inout Value) -> R?) -> R? {
    var deadline = timespec()
    clock_gettime(CLOCK_REALTIME, &deadline)
    let end = Double(deadline.tv_sec) + Double(deadline.tv_nsec) * 1e-9 + seconds
    deadline.tv_sec = Int(end)
    deadline.tv_nsec = Int((end - end.rounded(.down)) * 1e9)

    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&value) { return result }
      guard pthread_cond_timedwait(condition, mutex, &deadline) == 0 else { return body(&value) }
    }
  }

  /// Makes every waiting thread look at the value again.
  package func wakeAll() {
    pthread_cond_broadcast(condition)
  }
}

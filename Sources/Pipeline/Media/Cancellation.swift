internal import Synchronization

/// A request to stop, seen by every stage and by blocked reads and writes.
final class Cancellation: Sendable {
  // Zero: nobody asked. Otherwise the signal that did.
  private let signal = Atomic<Int32>(0)

  /// Asks for an end; the first request counts.
  func request(signal: Int32) {
    _ = self.signal.compareExchange(expected: 0, desired: signal, ordering: .relaxed)
  }

  /// Whether somebody asked for an end.
  var isRequested: Bool {
    signal.load(ordering: .relaxed) != 0
  }

  /// The error that a stage ends with after a request, or `nil` while nobody asked.
  var error: MediaError? {
    let signal = signal.load(ordering: .relaxed)
    return signal == 0 ? nil : .cancelled(signal: signal)
  }
}

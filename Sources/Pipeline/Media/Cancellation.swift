internal import Engine
internal import Glibc
internal import Synchronization

/// A request to stop, seen by every stage and by blocked reads and writes.
///
/// Safe to use from any thread, but not inside a signal handler.
public final class Cancellation: Sendable {
  // Zero: nobody asked. Otherwise the signal that did.
  private let signal = Atomic<Int32>(0)
  private let inputEnd = Atomic<Int32>(0)
  private let hasFailed = Atomic<Bool>(false)
  private let feedsOutput = Atomic<Bool>(false)
  private let sent = Atomic<Bool>(false)
  private let observer = Monitor<(@Sendable (MediaError) -> Void)?>(nil)

  private let unfinished = Monitor<Set<MediaPath>>([])

  /// Creates a request that nobody has made yet.
  public init() {}

  /// Asks for an end; the first request counts.
  ///
  /// - Parameter signal: The number of the signal that is the reason; above zero.
  public func request(signal: Int32) {
    precondition(signal > 0, "signals are numbered from one")
    _ = self.signal.compareExchange(expected: 0, desired: signal, ordering: .relaxed)
    tell()
  }

  /// Lets the input end here, as if nothing more came; what was read before is still written.
  ///
  /// - Parameter signal: The number of the signal that is the reason; above zero.
  public func endInput(signal: Int32) {
    precondition(signal > 0, "signals are numbered from one")
    _ = inputEnd.compareExchange(expected: 0, desired: signal, ordering: .relaxed)
  }

  /// The signal for which the input has ended early, or `nil`.
  public var signalOfInputEnd: Int32? {
    let signal = inputEnd.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }

  /// Says that the run has failed: nothing more is read or written, and nobody waits for either.
  func abandon() {
    hasFailed.store(true, ordering: .relaxed)
  }

  /// Removes the files that are not complete, for a process that ends at once.
  public func removeUnfinished() {
    for path in unfinished.withLock({ $0 }) { unsafe unlink(path.bytes) }
  }

  /// Notes a file that must not stay as it is.
  func begin(_ path: MediaPath) {
    _ = unfinished.withLock { $0.insert(path) }
  }

  /// Forgets a file that has gone or is complete.
  func end(_ path: MediaPath) {
    _ = unfinished.withLock { $0.remove(path) }
  }

  /// Lets the input also end when standard output goes to a pipe that nobody reads any more.
  func endInputWithStandardOutput() { feedsOutput.store(true, ordering: .relaxed) }

  /// Notes that something has left which cannot be taken back: into a pipe, or to an address.
  func noteSent() { sent.store(true, ordering: .relaxed) }

  /// Whether a run that ends early leaves a part of its output.
  var hasSent: Bool { sent.load(ordering: .relaxed) }

  /// Whether nothing more is read.
  var isInputOver: Bool {
    isOutputOver || inputEnd.load(ordering: .relaxed) != 0 || isOutputAbandoned
  }

  // A pipe without a reader reports an error even if nothing is asked.
  private var isOutputAbandoned: Bool {
    guard feedsOutput.load(ordering: .relaxed) else { return false }
    var request = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    return unsafe poll(&request, 1, 0) > 0 && request.revents & Int16(POLLERR) != 0
  }

  /// Whether nothing more is written.
  var isOutputOver: Bool { isRequested || hasFailed.load(ordering: .relaxed) }

  /// Whether somebody asked for an end.
  var isRequested: Bool {
    signal.load(ordering: .relaxed) != 0
  }

  /// The error that a stage ends with after a request, or `nil` while nobody asked.
  var error: MediaError? {
    let signal = signal.load(ordering: .relaxed)
    return signal == 0 ? nil : .cancelled(signal: signal)
  }

  /// Calls `observer` when somebody asks, or has asked before; perhaps more than once.
  func observe(_ observer: @escaping @Sendable (MediaError) -> Void) {
    self.observer.withLock { $0 = observer }
    tell()
  }

  private func tell() {
    guard let error, let observer = observer.withLock({ $0 }) else { return }
    observer(error)
  }
}

internal import Engine
internal import Glibc
internal import Pipeline

/// Signals that end a run, delivered to a closure on a thread of their own.
///
/// A handler writes their numbers into a pipe from which that thread reads, so the closure may lock
/// and allocate, which a signal handler must not.
enum Signals {
  private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  // `timeout` signals its child and then the group that the child is in: one request, given twice.
  private static let microsecondsForRepeats: UInt32 = 30_000

  // The pipe's ends. Safe: written once by `prepareProcess`, and constant before, so that the handler
  // runs no initialiser.
  nonisolated(unsafe) private static var reader: Int32 = -1
  nonisolated(unsafe) private static var writer: Int32 = -1

  /// Catches them; called before we start any thread.
  ///
  /// Libraries have started threads of theirs, which the kernel may choose for a signal: so there is
  /// a handler. In our own threads the signals are blocked, so that none of their calls is interrupted.
  /// Writing to a pipe without reader or beyond a size limit then fails instead of killing us.
  static func prepareProcess() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    makePipe()
    mask(SIG_BLOCK)
    endings.forEach(catchUnlessIgnored)
  }

  /// Requests the end of what is written at the first signal; a second one ends the process at once,
  /// without the files that are not complete.
  ///
  /// What comes right after the first is the same request.
  static func onEnding(_ cancellation: Cancellation) {
    onEnding(cancellation) { cancellation.request(signal: $0) }
  }

  /// As ``onEnding(_:)``, but calls `body` at the first signal.
  static func onEnding(
    _ cancellation: Cancellation,
    _ body: @escaping @Sendable (Int32) -> Void,
  ) {
    onEnding(body, atOnce: cancellation.removeUnfinished)
  }

  private static func onEnding(
    _ body: @escaping @Sendable (Int32) -> Void,
    atOnce: @escaping @Sendable () -> Void = {},
  ) {
    _ = WorkerThread {
      mask(SIG_UNBLOCK)
      let first = wait()
      // Threads of the body's own must not get what comes now: it would end their pauses.
      mask(SIG_BLOCK)
      body(first)
      forgetRepeats()
      let second = wait()
      atOnce()
      say("vsr: interrupted again; ended at once, without what was not complete")
      _exit(128 + second)
    }
  }

  /// Ends the process at the first signal: for commands that write nothing.
  static func exitOnEnding() {
    onEnding { _exit(128 + $0) }
  }

  private static func makePipe() {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "the system makes a pipe")
    (reader, writer) = (ends[0], ends[1])
  }

  // Who ignores a signal for us, as nohup does, wants it to be ignored.
  private static func catchUnlessIgnored(_ number: Int32) {
    var action = sigaction()
    sigaction(number, nil, &action)
    guard unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) != 1 else { return }
    action = sigaction()
    action.sa_flags = SA_RESTART
    action.__sigaction_handler.sa_handler = { number in
      let saved = errno
      var byte = UInt8(truncatingIfNeeded: number)
      _ = write(Signals.writer, &byte, 1)
      errno = saved
    }
    sigaction(number, &action, nil)
  }

  private static func wait() -> Int32 {
    var byte: UInt8 = 0
    while read(reader, &byte, 1) != 1 {}
    return Int32(byte)
  }

  // They are blocked meanwhile, since one would end the pause.
  private static func forgetRepeats() {
    usleep(microsecondsForRepeats)
    mask(SIG_UNBLOCK)
    var request = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
    while poll(&request, 1, 0) == 1 { _ = wait() }
  }

  // Only where that does not wait for a reader; over the bar that may be there.
  private static func say(_ line: String) {
    var request = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    guard poll(&request, 1, 0) == 1 else { return }
    Console.say(Console.isTerminal ? "\r\u{1B}[K\(line)" : line)
  }

  private static func mask(_ how: Int32) {
    var set = sigset_t()
    sigemptyset(&set)
    for number in endings { sigaddset(&set, number) }
    pthread_sigmask(how, &set, nil)
  }
}

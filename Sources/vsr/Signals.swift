internal import Engine
internal import Glibc

/// Signals that end a run, delivered to a closure on a thread of their own.
///
/// The closure may lock and allocate, which a signal handler must not: the handler only writes the
/// signal's number to a pipe, and the thread reads it there. All other threads of ours block the
/// signals, so that none of their calls is interrupted. That alone is not enough: OpenBLAS has started
/// threads before `main`, and a signal that arrives there would end the process without cleaning up.
enum Signals {
  private static let endings = [SIGINT, SIGTERM, SIGHUP]

  // Plain numbers, because the handler reads one; written once before the handler is installed.
  nonisolated(unsafe) private static var readEnd: Int32 = -1
  nonisolated(unsafe) private static var writeEnd: Int32 = -1

  /// Prepares for signals; called before any thread of ours starts, so that all inherit what is blocked.
  ///
  /// Writing to a pipe without reader or beyond a size limit then fails instead of killing us.
  static func prepareProcess() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    var ends: [Int32] = [-1, -1]
    pipe(&ends)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (readEnd, writeEnd) = (ends[0], ends[1])
    var set = endingSet
    pthread_sigmask(SIG_BLOCK, &set, nil)
    for number in endings { install(number) }
  }

  /// Calls `body` at the first signal; a second one ends the process at once.
  static func onEnding(_ body: @escaping @Sendable (Int32) -> Void) {
    _ = WorkerThread {
      var set = endingSet
      pthread_sigmask(SIG_UNBLOCK, &set, nil)
      body(wait())
      _exit(128 + wait())
    }
  }

  /// Ends the process at the first signal: for commands that write nothing.
  static func exitOnEnding() {
    onEnding { _exit(128 + $0) }
  }

  // What was ignored by whoever started us stays ignored: so does nohup work.
  private static func install(_ number: Int32) {
    var action = sigaction()
    sigaction(number, nil, &action)
    guard action.__sigaction_handler.sa_handler == nil else { return }
    action.__sigaction_handler.sa_handler = { number in
      let before = errno
      var byte = UInt8(truncatingIfNeeded: number)
      write(Signals.writeEnd, &byte, 1)
      errno = before
    }
    action.sa_flags = SA_RESTART
    sigaction(number, &action, nil)
  }

  private static func wait() -> Int32 {
    var byte: UInt8 = 0
    while read(readEnd, &byte, 1) != 1 {}
    return Int32(byte)
  }

  private static var endingSet: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in endings { sigaddset(&set, number) }
    return set
  }
}

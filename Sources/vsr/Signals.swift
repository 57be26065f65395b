internal import Engine
internal import Glibc

/// Signals that end a run, delivered to a closure on a thread of their own.
///
/// They are blocked in every thread and fetched with `sigwait`, so the closure may lock and allocate,
/// which a signal handler must not.
enum Signals {
  private static let endings = [SIGINT, SIGTERM, SIGHUP]

  /// Blocks them; called before any thread starts, so that all threads inherit it.
  ///
  /// Writing to a pipe without reader or beyond a size limit then fails instead of killing us.
  static func prepareProcess() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    var set = endingSet
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `body` at the first signal; a second one ends the process at once.
  static func onEnding(_ body: @escaping @Sendable (Int32) -> Void) {
    _ = WorkerThread {
      body(wait())
      _exit(128 + wait())
    }
  }

  /// Ends the process at the first signal: for commands that write nothing.
  static func exitOnEnding() {
    onEnding { _exit(128 + $0) }
  }

  private static func wait() -> Int32 {
    var set = endingSet
    var number: Int32 = 0
    sigwait(&set, &number)
    return number
  }

  private static var endingSet: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in endings { sigaddset(&set, number) }
    return set
  }
}

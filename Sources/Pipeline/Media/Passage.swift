internal import Dispatch

/// A point of the machine's clock that never jumps.
struct Instant: Hashable, Comparable, Sendable {
  /// Counted from some point before the process started.
  var nanoseconds: Int64

  static var now: Instant {
    Instant(nanoseconds: Int64(clamping: DispatchTime.now().uptimeNanoseconds))
  }

  static func < (one: Instant, other: Instant) -> Bool { one.nanoseconds < other.nanoseconds }

  static func + (start: Instant, duration: Duration) -> Instant {
    let nanoseconds = Int64((duration / .nanoseconds(1)).rounded())
    return Instant(nanoseconds: start.nanoseconds + nanoseconds)
  }

  /// The time from `earlier` until this; zero if that is later.
  func since(_ earlier: Instant) -> Duration {
    .nanoseconds(max(nanoseconds - earlier.nanoseconds, 0))
  }
}

/// When a picture came and when it was ready, so that its delay can be told when it leaves.
struct Passage: Hashable, Sendable {
  /// When the packet that holds it was read.
  var arrival: Instant

  /// When it could go on to be encoded; `nil` before that.
  var ready: Instant?
}

internal import FFmpegC

/// A ratio of two integers, such as a frame rate or the shape of a pixel.
public struct Rational: Hashable, Sendable {
  /// The number above the line.
  public var numerator: Int32

  /// The number below the line; zero when the ratio is unknown.
  public var denominator: Int32

  /// Creates `numerator / denominator`.
  public init(_ numerator: Int32, _ denominator: Int32) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// The ratio as a floating-point number; zero when it is unknown.
  public var value: Double {
    denominator == 0 ? 0 : Double(numerator) / Double(denominator)
  }

  /// The simplest ratio close to `value`.
  init(approximating value: Double) {
    // 65535: small enough for every container's header.
    self.init(av_d2q(value, 65535))
  }

  init(_ native: AVRational) {
    self.init(native.num, native.den)
  }

  var native: AVRational { AVRational(num: numerator, den: denominator) }

  /// One divided by this.
  var inverse: Rational { Rational(denominator, numerator) }

  /// Whether this is a number above zero.
  var isPositive: Bool { numerator > 0 && denominator > 0 }
}

/// A point in presentation time, counted in ticks of a time base.
struct Timestamp: Hashable, Sendable {
  var ticks: Int64
  var timeBase: Rational

  /// The same point in another time base, rounded to its nearest tick.
  func rescaled(to timeBase: Rational) -> Timestamp {
    let ticks = av_rescale_q(ticks, self.timeBase.native, timeBase.native)
    return Timestamp(ticks: ticks, timeBase: timeBase)
  }

  /// The same point since zero as a duration, rounded to nanoseconds.
  var duration: Duration {
    .nanoseconds(av_rescale_q(ticks, timeBase.native, AVRational(num: 1, den: 1_000_000_000)))
  }
}

extension Duration {
  /// This duration in ticks of `timeBase`, rounded to the nearest; zero where that is unknown.
  func ticks(of timeBase: Rational) -> Int64 {
    guard timeBase.isPositive else { return 0 }
    let (seconds, attoseconds) = components
    let second: Int128 = 1_000_000_000
    let nanoseconds = Int128(seconds) * second + Int128(attoseconds / 1_000_000_000)
    // At most 125 bits: 94 of the nanoseconds, 31 of the time base.
    let ticks = nanoseconds * Int128(timeBase.denominator)
    let tick = second * Int128(timeBase.numerator)
    let half = ticks < 0 ? -tick / 2 : tick / 2
    return Int64(clamping: (ticks + half) / tick)
  }
}

/// Makes presentation times usable: every frame has one, and each is later than the one before.
struct TimestampRepair {
  private var last: Int64?
  private var lastDuration: Int64 = 1

  /// How many times had to be invented or moved.
  private(set) var repairs = 0

  /// The time to use for a frame that claims `ticks` (unknown: `nil`) and lasts `duration` ticks.
  mutating func repaired(_ ticks: Int64?, duration: Int64) -> Int64 {
    // Wrapping sums: absurd times in a file may end in absurd times, but not in a trap.
    let next = last.map { $0 &+ max(lastDuration, 1) }
    var result = ticks ?? next ?? 0
    if let last, result <= last { result = last &+ 1 }
    if result != ticks { repairs += 1 }
    last = result
    if duration > 0 { lastDuration = duration }
    return result
  }
}

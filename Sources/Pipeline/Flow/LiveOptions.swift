/// How a live run keeps its delay.
public struct LiveOptions: Hashable, Sendable {
  /// From the arrival of a frame to the departure of its packet.
  public var maximumDelay: Duration

  /// What happens to frames that would take longer.
  public var overload: OverloadPolicy

  /// A run that does `overload` with frames that would take longer than `maximumDelay`.
  public init(maximumDelay: Duration, overload: OverloadPolicy) {
    self.maximumDelay = maximumDelay
    self.overload = overload
  }
}

/// What happens to frames that the engine cannot enlarge in time.
public enum OverloadPolicy: String, Hashable, Sendable, CaseIterable {
  /// They are enlarged all the same, late; the input has to wait.
  case block

  /// They are left out; the newest frame goes on, and all keep their times.
  case drop

  /// They are enlarged by zimg's Lanczos filter instead, one by one as needed.
  case resize

  /// They are enlarged by zimg's Lanczos filter instead, all of a stretch of at least two seconds, so that the
  /// look does not change from frame to frame.
  case passthrough
}

/// What a live run did with its frames, and how long they took.
public struct LiveReport: Hashable, Sendable {
  // For each rung up to the last that was used.
  private var upscaledByRung: [Int] = []

  /// How often the rung has changed.
  public internal(set) var switches = 0

  /// Frames that the engine has enlarged, or that took the result of an equal frame before.
  public var upscaled: Int { upscaledByRung.reduce(0, +) }

  /// Those of them that were enlarged on one rung of the run's ladder.
  public func frames(onRung rung: Int) -> Int {
    upscaledByRung.indices.contains(rung) ? upscaledByRung[rung] : 0
  }

  init() {}

  mutating func countUpscaled(onRung rung: Int) {
    while upscaledByRung.count <= rung { upscaledByRung.append(0) }
    upscaledByRung[rung] += 1
  }

  /// Frames that were enlarged by a filter, because the engine had no time.
  public internal(set) var resized = 0

  /// Frames that were left out, because the engine had no time.
  public internal(set) var dropped = 0

  /// Frames that left later than they should.
  public internal(set) var late = 0

  /// The delay that half of the frames did not exceed, to a millisecond.
  public internal(set) var medianDelay = Duration.zero

  /// The delay that 99 of 100 frames did not exceed, to a millisecond.
  public internal(set) var longDelay = Duration.zero

  /// The longest delay.
  public internal(set) var longestDelay = Duration.zero
}

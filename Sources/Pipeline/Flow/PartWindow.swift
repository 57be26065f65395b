internal import Engine

/// Decides which packets of the other streams belong to the part that is kept.
///
/// When the part is given in frames, its times are known only when those frames have been decoded:
/// until then the answer for later packets is ``Answer/undecided``. Safe to use from any thread.
final class PartWindow: Sendable {
  /// Whether a packet belongs to the part.
  enum Answer: Hashable {
    case keep(offset: Duration)
    case drop
    case undecided
  }

  private struct State {
    /// `nil` until it is known; everything before `reached` has been decoded.
    var start: Duration?
    var reached: Duration?

    /// The end as far as it is known; the last frame may bring it forward.
    var end: Duration
    var isEndKnown: Bool
  }

  private let state: Monitor<State>
  private let part: Part
  private let origin: Duration
  private static let mostSeconds = 1e9
  private static let never = Duration.seconds(Int64.max / 2_000_000_000)

  /// The window of `part` in a stream whose first time stamp is `origin`.
  init(_ part: Part, origin: Duration = .zero) {
    let part = part.moved(by: origin)
    self.part = part
    self.origin = origin
    let startsAtFrame = (part.frames?.lowerBound ?? 0) > 0
    state = Monitor(
      State(
        start: startsAtFrame ? nil : part.start ?? .zero - PartWindow.never,
        reached: nil,
        end: part.end ?? PartWindow.never,
        isEndKnown: part.frames == nil,
      )
    )
  }

  /// Whether a frame belongs to the part; tells the window how far decoding has come.
  func contains(frame number: Int, at time: Duration) -> Bool {
    state.withLock { state in
      state.reached = max(state.reached ?? time, time)
      if let frames = part.frames {
        if number == frames.lowerBound && state.start == nil {
          state.start = max(time, part.start ?? time)
        }
        if number == frames.upperBound && !state.isEndKnown {
          state.end = min(state.end, time)
          state.isEndKnown = true
        }
        guard frames.contains(number) else { return false }
      }
      return time >= part.start ?? time && time < part.end ?? PartWindow.never
    }
  }

  /// Whether no later frame can belong to the part.
  func isOver(after number: Int, at time: Duration) -> Bool {
    if let frames = part.frames, number >= frames.upperBound { return true }
    return time >= part.end ?? PartWindow.never
  }

  /// Says that no frame follows, so everything is known.
  func close() {
    state.withLock { state in
      if state.start == nil { state.start = PartWindow.never }
      state.isEndKnown = true
    }
  }

  /// Whether something at `time` belongs to the part, or some of what is shown from then on for `duration`.
  func answer(at time: Duration, lasting duration: Duration = .zero) -> Answer {
    let end = time + duration
    func isOver(at limit: Duration) -> Bool { duration > .zero ? end <= limit : time < limit }
    return state.withLock { state in
      if time >= state.end { return .drop }
      guard let start = state.start else {
        return isOver(at: state.reached ?? time) ? .drop : .undecided
      }
      if isOver(at: start) { return .drop }
      let isDecided = state.isEndKnown || end <= state.reached ?? start
      return isDecided ? .keep(offset: offset(start)) : .undecided
    }
  }

  /// When what is shown from `time` on for `duration` begins and ends if only the part is shown, which has
  /// some of it.
  func clipped(_ time: Duration, lasting duration: Duration) -> (start: Duration, end: Duration) {
    state.withLock { state in
      (start: max(time, state.start ?? time), end: min(time + duration, state.end))
    }
  }

  /// How much every time of the output is later than in the input, for a part that starts at `start`.
  private func offset(_ start: Duration) -> Duration {
    part.beginsInside ? .zero - start : .zero
  }

  /// The same as far as it is known before anything has been decoded.
  func estimatedOffset(frameRate: Rational) -> Duration {
    guard let first = part.frames?.lowerBound, first > 0, frameRate.isPositive else {
      return .zero - (part.start ?? .zero)
    }
    let seconds = Double(first) / frameRate.value
    guard seconds < PartWindow.mostSeconds else { return .zero - (part.start ?? .zero) }
    let time = origin + .seconds(seconds)
    return .zero - max(part.start ?? time, time)
  }

  /// Where the part ends in the input, as far as it is known before anything has been decoded.
  func estimatedEnd(frameRate: Rational) -> Duration? {
    guard let last = part.frames?.upperBound, frameRate.isPositive else { return part.end }
    let seconds = Double(last) / frameRate.value
    guard seconds < PartWindow.mostSeconds else { return part.end }
    let time = origin + .seconds(seconds)
    return min(part.end ?? time, time)
  }

  /// How much the times of frames move; known once the first frame of the part has been decoded.
  var frameOffset: Duration {
    state.withLock { offset($0.start ?? .zero) }
  }

  /// Why no frame belonged to the part, when the frames have ended or gone past it.
  var emptiness: String {
    let empty = "no frame lies in the chosen part"
    guard let last = state.withLock({ $0.reached }) else { return empty }
    return "\(empty); the last one read is at \(last - origin)"
  }

  /// The time from which on no packet is wanted, if it is known.
  var end: Duration? {
    state.withLock { $0.end == PartWindow.never ? nil : $0.end }
  }
}

extension Part {
  fileprivate func moved(by offset: Duration) -> Part {
    Part(start: start.map { $0 + offset }, end: end.map { $0 + offset }, frames: frames)
  }
}

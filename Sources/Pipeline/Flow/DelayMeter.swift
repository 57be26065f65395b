internal import Engine

/// Measures how long frames take from their arrival to their departure, in memory that does not grow.
///
/// Safe to use from any thread.
final class DelayMeter: Sendable {
  private struct State {
    var report = LiveReport()
    var delays = DelayHistogram()
    var afterEngine = Estimate()
  }

  private let limit: Duration?
  private let state = Monitor(State())

  /// A meter that calls frames late after `limit`; without one nothing is measured.
  init(limit: Duration?) {
    self.limit = limit
  }

  /// What was measured so far; `nil` without a limit.
  var report: LiveReport? {
    guard limit != nil else { return nil }
    return state.withLock { state in
      var report = state.report
      // The histogram rounds up.
      report.medianDelay = min(state.delays.delay(of: 0.5), report.longestDelay)
      report.longDelay = min(state.delays.delay(of: 0.99), report.longestDelay)
      return report
    }
  }

  /// How long a frame takes from the engine to its departure, about.
  var timeAfterEngine: Duration { state.withLock { $0.afterEngine.value } }

  /// A frame has left.
  func add(_ passage: Passage) {
    guard let limit else { return }
    let now = Instant.now
    let delay = now.since(passage.arrival)
    state.withLock { state in
      state.delays.add(delay)
      state.report.longestDelay = max(state.report.longestDelay, delay)
      if delay > limit { state.report.late += 1 }
      // A consumer that stopped for long says nothing about the next frames.
      state.afterEngine.add(min(now.since(passage.ready ?? now), limit * 2))
    }
  }

  /// Lets the next frame alone show how long frames take after the engine.
  func forgetExpectation() {
    state.withLock { $0.afterEngine = Estimate() }
  }

  /// The frames that follow are enlarged in another way.
  func countSwitch() {
    state.withLock { $0.report.switches += 1 }
  }

  /// It is decided what happens to a frame.
  func count(_ treatment: Treatment) {
    state.withLock { state in
      switch treatment {
      case .upscaled(let rung): state.report.countUpscaled(onRung: rung)
      case .resized: state.report.resized += 1
      case .dropped: state.report.dropped += 1
      }
    }
  }
}

/// What happened to a frame of a live run.
enum Treatment: Hashable, Sendable {
  case upscaled(rung: Int)
  case resized, dropped
}

/// How often each delay occurred, to a millisecond, up to about a minute.
struct DelayHistogram {
  private var counts = [Int](repeating: 0, count: 65_536)
  private var total = 0

  mutating func add(_ delay: Duration) {
    let milliseconds = Int((delay / .milliseconds(1)).rounded(.up))
    counts[min(max(milliseconds, 0), counts.count - 1)] += 1
    total += 1
  }

  /// The shortest delay that this share of all does not exceed; zero when there are none.
  func delay(of share: Double) -> Duration {
    let wanted = Int((Double(total) * share).rounded(.up))
    var sum = 0
    for (milliseconds, count) in counts.enumerated() where count > 0 {
      sum += count
      if sum >= wanted { return .milliseconds(milliseconds) }
    }
    return .zero
  }
}

/// What to expect of a time that varies: it rises at once and falls slowly, so that it is seldom too short.
struct Estimate: Hashable {
  private(set) var value = Duration.zero

  mutating func add(_ sample: Duration) {
    value = max(sample, value + (sample - value) / 32)
  }
}

/// Decides which of several ways to enlarge frames can be afforded: rung 0 is the best, each other one
/// cheaper than the one before.
///
/// Knows times only, so it can be read and tested as a table. Period by period it sees which part of the
/// time the engine was busy. When that was nearly always so, or when a frame had to be skipped, it goes
/// down by a rung. When by the rungs' costs much of the time would be free on the next better one too, it
/// goes up, after some calm; a climb that does not last lets the next one wait for longer.
struct RungControl {
  /// The rung that the next frame gets.
  private(set) var rung: Int

  /// How often the rung has changed.
  private(set) var switchCount = 0

  private let costs: [Duration]
  private let budget: Duration
  private let capacity: Int
  private var running = 0
  private var last: Instant?
  private var period: Period?
  private var lastSwitch: Instant?
  private var lastClimb: Instant?
  private var calmSince: Instant?
  private var calm = RungControl.shortestCalm

  private struct Period {
    let start: Instant
    var busy = Duration.zero
    var finished = 0
  }

  // Busy for more than this the engine does not keep up; on a better rung it has to be well below.
  private static let mostBusy = 0.95
  private static let busyAfterClimb = 0.7

  // What a frame may take of the budget; the rest is for decoding, encoding and what cannot be foreseen.
  private static let shareOfBudget = 0.8

  private static let shortestPeriod = Duration.seconds(1)
  private static let fewestFrames = 4

  // After a switch frames of the rung before are still on their way.
  private static let settling = Duration.seconds(2)
  private static let shortestCalm = Duration.seconds(5)
  private static let longestCalm = Duration.seconds(300)
  private static let lasting = Duration.seconds(60)

  /// A control that begins on the best rung that leaves time enough.
  ///
  /// - Parameters:
  ///   - costs: The time that a frame takes on each rung, best rung first; at least one.
  ///   - interval: The time from frame to frame.
  ///   - budget: The longest delay of a frame.
  ///   - capacity: The frames that the engine works on at once.
  init(costs: [Duration], interval: Duration, budget: Duration, capacity: Int) {
    precondition(!costs.isEmpty, "there is a way to enlarge frames")
    self.costs = costs
    self.budget = budget * Self.shareOfBudget
    self.capacity = capacity
    let most = min(interval * Self.busyAfterClimb * Double(capacity), budget * Self.shareOfBudget)
    rung = costs.firstIndex { $0 <= most } ?? costs.count - 1
  }

  /// The engine begins with a frame, or has it next.
  mutating func start(_ now: Instant) {
    advance(to: now)
    running += 1
  }

  /// The engine has finished a frame.
  mutating func finish(_ now: Instant) {
    advance(to: now)
    running -= 1
    period?.finished += 1
    judge(now)
  }

  /// A frame goes on without the engine, which had no time for it.
  mutating func skip(_ now: Instant) {
    advance(to: now)
    calmSince = now
    goDown(now)
  }

  // Time in which nothing comes says nothing about the load.
  private mutating func advance(to now: Instant) {
    let elapsed = now.since(last ?? now)
    last = now
    if running == 0, elapsed > Self.shortestPeriod { period = nil }
    if period == nil { period = Period(start: now) }
    period?.busy += elapsed * Double(min(running, capacity)) / Double(capacity)
    if lastSwitch == nil { lastSwitch = now }
    if calmSince == nil { calmSince = now }
  }

  private mutating func judge(_ now: Instant) {
    guard let period, now.since(period.start) >= Self.shortestPeriod,
      period.finished >= Self.fewestFrames
    else { return }
    self.period = Period(start: now)
    let busy = period.busy / now.since(period.start)
    let work = period.busy * Double(capacity) / Double(period.finished)
    if busy > Self.mostBusy || work > budget {
      calmSince = now
      goDown(now)
    } else if !allowsClimb(busy, work) {
      calmSince = now
    } else if let calmSince, now.since(calmSince) >= calm {
      goUp(now)
    }
  }

  private func allowsClimb(_ busy: Double, _ work: Duration) -> Bool {
    guard rung > 0 else { return false }
    let growth = costs[rung - 1] / costs[rung]
    return busy * growth <= Self.busyAfterClimb && work * growth <= budget
  }

  private mutating func goDown(_ now: Instant) {
    guard rung < costs.count - 1, let lastSwitch, now.since(lastSwitch) >= Self.settling
    else { return }
    let wasShort = lastClimb.map { now.since($0) < Self.lasting } ?? false
    calm = wasShort ? min(calm * 2, Self.longestCalm) : Self.shortestCalm
    change(by: 1, now)
  }

  private mutating func goUp(_ now: Instant) {
    lastClimb = now
    change(by: -1, now)
  }

  private mutating func change(by step: Int, _ now: Instant) {
    rung += step
    switchCount += 1
    lastSwitch = now
    calmSince = now
    period = Period(start: now)
  }
}

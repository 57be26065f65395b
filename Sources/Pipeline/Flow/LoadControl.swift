/// Decides which frames the engine gets when it cannot have all of them in time.
///
/// Knows numbers and times only, so it can be read and tested as a table. While all is well every frame
/// waits for its turn. Once a frame is expected to be late the run counts as overloaded: the engine gets
/// the newest frame whenever it is free, so that what it enlarges is evenly spread, and the others are
/// skipped at once. With ``OverloadPolicy/passthrough`` all frames are skipped for some time instead.
///
/// Where even the newest frame would be late, one is tried from time to time, because only that shows
/// whether the engine has become faster.
struct LoadControl {
  enum Verdict: Hashable {
    case upscale(Int)
    case skip(Int)
  }

  private struct Frame {
    let number: Int
    let arrival: Instant
  }

  private let policy: OverloadPolicy
  private let budget: Duration
  private let capacity: Int
  private let mostResults: Int
  private var waiting: [Frame] = []
  private var running: [Int: Instant] = [:]

  /// The time that the engine takes for a frame.
  private(set) var work = Estimate()

  /// The time that a frame takes after the engine.
  var rest = Duration.zero

  /// How many frames the engine works on or has finished and nobody has taken.
  var resultCount = 0

  /// Frames that were expected to be late and are tried all the same.
  private(set) var trialCount = 0

  private var learnsSince: Instant?
  private var trial: Int?
  private var nextTrial: Instant?
  private var pause = LoadControl.shortestPause

  // Since when the run is overloaded, and when it last had to skip a frame.
  private var overload: (start: Instant, lastSkip: Instant)?
  private var lastRecovery: Instant?

  private var isPassing: Bool { policy == .passthrough }

  // Of stretches without the engine, and of pauses between two trials.
  private static let shortestPause = Duration.seconds(2)
  private static let longestPause = Duration.seconds(32)
  private static let calm = Duration.seconds(1)

  /// A control for an engine that works on `capacity` frames at once, with memory for `mostResults`.
  ///
  /// A tenth of the delay that is allowed is kept for what cannot be foreseen.
  init(_ policy: OverloadPolicy, maximumDelay: Duration, capacity: Int, mostResults: Int = .max) {
    self.policy = policy
    budget = maximumDelay * 9 / 10
    self.capacity = capacity
    self.mostResults = mostResults
  }

  /// Whether some frames cannot be enlarged by the engine.
  var isOverloaded: Bool { overload != nil }

  /// A frame has been decoded.
  mutating func add(_ number: Int, arrival: Instant, now: Instant) -> [Verdict] {
    recover(now)
    waiting.append(Frame(number: number, arrival: arrival))
    if !isOverloaded, expectedDelay(ofLastAt: now) > budget { begin(now) }
    return decide(now)
  }

  /// The engine has finished a frame.
  mutating func finish(_ number: Int, now: Instant) -> [Verdict] {
    if let start = running.removeValue(forKey: number), start >= learnsSince ?? start {
      learn(number, now.since(start))
    }
    return decide(now)
  }

  /// Frames that start from now on may take another time than those before.
  mutating func forgetWork(_ now: Instant) {
    work = Estimate()
    learnsSince = now
  }

  private mutating func learn(_ number: Int, _ time: Duration) {
    guard number == trial else { return work.add(time) }
    trial = nil
    work = Estimate()
    work.add(time)
    if !isPassing { pause = time < budget ? Self.shortestPause : min(pause * 2, Self.longestPause) }
  }

  private mutating func decide(_ now: Instant) -> [Verdict] {
    guard isOverloaded else { return startInOrder(now) }
    guard !isPassing else { return skip(waiting.count, now) }
    var verdicts = skip(waiting.count - 1, now)
    guard running.count < capacity, let newest = waiting.first else { return verdicts }
    verdicts += isAdmitted(newest, now) ? [start(now)] : skip(1, now)
    return verdicts
  }

  private mutating func startInOrder(_ now: Instant) -> [Verdict] {
    var verdicts: [Verdict] = []
    while running.count < capacity, let next = waiting.first {
      guard isAdmitted(next, now) else {
        begin(now)
        return verdicts + decide(now)
      }
      verdicts.append(start(now))
    }
    return verdicts
  }

  private mutating func start(_ now: Instant) -> Verdict {
    let frame = waiting.removeFirst()
    running[frame.number] = now
    resultCount += 1
    return .upscale(frame.number)
  }

  private mutating func skip(_ count: Int, _ now: Instant) -> [Verdict] {
    guard count > 0 else { return [] }
    overload?.lastSkip = now
    let verdicts = waiting.prefix(count).map { Verdict.skip($0.number) }
    waiting.removeFirst(count)
    return verdicts
  }

  // Without memory for one more result not even a trial.
  private mutating func isAdmitted(_ frame: Frame, _ now: Instant) -> Bool {
    resultCount < mostResults && (fits(frame, now) || isTrial(frame, now))
  }

  // Late pictures are better than none, if none waits for another: with `drop` the next trial follows as
  // soon as the one before has left.
  private mutating func isTrial(_ frame: Frame, _ now: Instant) -> Bool {
    guard running.isEmpty, let next = nextTrial, now >= next else { return false }
    nextTrial = now + (policy == .drop ? rest : pause)
    trial = frame.number
    trialCount += 1
    return true
  }

  private func fits(_ frame: Frame, _ now: Instant) -> Bool {
    now.since(frame.arrival) + work.value + rest <= budget
  }

  private func expectedDelay(ofLastAt now: Instant) -> Duration {
    guard let last = waiting.last else { return .zero }
    let firstStart = running.values.min() ?? now
    let untilFree =
      running.count < capacity ? .zero : max(work.value - now.since(firstStart), .zero)
    let turns = (waiting.count - 1) / capacity + 1
    return now.since(last.arrival) + untilFree + work.value * turns + rest
  }

  // A stretch grows when the one before has not helped for long.
  private mutating func begin(_ now: Instant) {
    let wasShort = lastRecovery.map { now.since($0) < .seconds(10) } ?? false
    if isPassing { pause = wasShort ? min(pause * 2, Self.longestPause) : Self.shortestPause }
    overload = (now, now)
    nextTrial = policy == .drop ? now : now + pause
  }

  private mutating func recover(_ now: Instant) {
    guard let overload else { return }
    let isOver =
      isPassing
      ? now.since(overload.start) >= pause : now.since(overload.lastSkip) >= Self.calm
    guard isOver else { return }
    self.overload = nil
    lastRecovery = now
  }
}

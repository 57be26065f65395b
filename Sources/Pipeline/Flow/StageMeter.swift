internal import Dispatch
internal import Synchronization

/// Measures what part of its time a stage works, and what part it waits for its neighbours.
final class StageMeter: Sendable {
  /// What the stage does, for a person.
  let name: String
  private let started = Atomic<UInt64>(0)
  private let stopped = Atomic<UInt64>(0)
  private let waited = Atomic<UInt64>(0)

  init(_ name: String) {
    self.name = name
  }

  func start() {
    started.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
  }

  func stop() {
    stopped.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
  }

  /// Runs `body`, whose time counts as waiting.
  func waiting<R, Failure: Error>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
    let start = DispatchTime.now().uptimeNanoseconds
    defer { countWait(since: start) }
    return try body()
  }

  fileprivate func countWait(since start: UInt64) {
    waited.wrappingAdd(DispatchTime.now().uptimeNanoseconds - start, ordering: .relaxed)
  }

  /// The times until now.
  var time: StageTime {
    let start = started.load(ordering: .relaxed)
    let stop = stopped.load(ordering: .relaxed)
    let end = stop == 0 ? DispatchTime.now().uptimeNanoseconds : stop
    let waited = waited.load(ordering: .relaxed)
    let total = start == 0 ? 0 : end - start
    return StageTime(
      name: name,
      busy: .nanoseconds(Int64(clamping: total - min(waited, total))),
      waiting: .nanoseconds(Int64(clamping: waited)),
    )
  }
}

extension BoundedQueue where Element: ~Copyable {
  /// Adds a value as ``push(_:isLight:)`` does; the time counts as waiting.
  func push(_ element: consuming Element, isLight: Bool = false, _ meter: StageMeter) -> Bool {
    let start = DispatchTime.now().uptimeNanoseconds
    defer { meter.countWait(since: start) }
    return push(element, isLight: isLight)
  }

  /// Takes a value as ``pop()`` does; the time counts as waiting.
  func pop(_ meter: StageMeter) -> Element? {
    let start = DispatchTime.now().uptimeNanoseconds
    defer { meter.countWait(since: start) }
    return pop()
  }
}

/// How long one stage of a run worked and waited.
public struct StageTime: Hashable, Sendable {
  /// What the stage does, such as `decode`.
  public let name: String

  /// The time it worked.
  public let busy: Duration

  /// The time it waited for its neighbours or the engine.
  public let waiting: Duration
}

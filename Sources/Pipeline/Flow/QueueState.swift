/// The bookkeeping of a bounded queue: which slot of a ring comes next, and who has to wait.
///
/// Holds no values, takes no lock and waits for nobody, so it can be read and tested as a table.
struct QueueState: Hashable, Sendable {
  /// What a thread that adds a value has to do.
  enum Push: Hashable {
    case store(slot: Int)
    case wait
    case refuse
  }

  /// What a thread that wants a value has to do.
  enum Pop: Hashable {
    case take(slot: Int)
    case wait
    case end
  }

  private(set) var capacity: Int
  private var isLight: [Bool]
  private let spare: Int
  private var first = 0
  private var count = 0
  private var heavyCount = 0
  private var producers: Int

  /// An empty ring that `producers` threads fill: up to `capacity` values, and `spare` more that are light.
  init(capacity: Int, spare: Int = 0, producers: Int = 1) {
    precondition(capacity > 0, "a queue holds at least one value")
    self.capacity = capacity
    self.spare = spare
    self.producers = producers
    isLight = Array(repeating: false, count: capacity + spare)
  }

  private var slotCount: Int { capacity + spare }

  /// Lowers the capacity before the first value.
  mutating func limit(to capacity: Int) {
    precondition(count == 0 && first == 0 && (1...self.capacity).contains(capacity), "too late")
    self.capacity = capacity
  }

  private var isClosed: Bool { producers == 0 }

  mutating func push(isLight: Bool = false) -> Push {
    if isClosed { return .refuse }
    guard count < slotCount, isLight || heavyCount < capacity else { return .wait }
    let slot = (first + count) % slotCount
    self.isLight[slot] = isLight
    heavyCount += isLight ? 0 : 1
    count += 1
    return .store(slot: slot)
  }

  mutating func pop() -> Pop {
    guard count > 0 else { return isClosed ? .end : .wait }
    defer {
      heavyCount -= isLight[first] ? 0 : 1
      first = (first + 1) % slotCount
      count -= 1
    }
    return .take(slot: first)
  }

  /// One of the producers has ended; after the last one no value follows.
  mutating func close() {
    producers = max(producers - 1, 0)
  }

  /// Refuses further values and forgets those there are; returns their slots.
  mutating func cancel() -> [Int] {
    producers = 0
    defer { (count, heavyCount) = (0, 0) }
    return (0..<count).map { (first + $0) % slotCount }
  }
}

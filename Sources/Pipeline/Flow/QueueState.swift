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
  private var first = 0
  private var count = 0
  private var producers: Int

  /// An empty ring that `producers` threads fill.
  init(capacity: Int, producers: Int = 1) {
    precondition(capacity > 0, "a queue holds at least one value")
    self.capacity = capacity
    self.producers = producers
  }

  /// Lowers the capacity before the first value.
  mutating func limit(to capacity: Int) {
    precondition(count == 0 && first == 0 && (1...self.capacity).contains(capacity), "too late")
    self.capacity = capacity
  }

  private var isClosed: Bool { producers == 0 }

  mutating func push() -> Push {
    if isClosed { return .refuse }
    guard count < capacity else { return .wait }
    defer { count += 1 }
    return .store(slot: (first + count) % capacity)
  }

  mutating func pop() -> Pop {
    guard count > 0 else { return isClosed ? .end : .wait }
    defer {
      first = (first + 1) % capacity
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
    defer { count = 0 }
    return (0..<count).map { (first + $0) % capacity }
  }
}

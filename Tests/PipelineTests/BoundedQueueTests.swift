import Dispatch
import Synchronization
import Testing

@testable import Pipeline

@Suite struct BoundedQueueTests {
  /// A value that cannot be copied and tells when it is gone.
  struct Token: ~Copyable {
    let number: Int
    let alive: Counter
    init(_ number: Int, _ alive: Counter) {
      self.number = number
      self.alive = alive
      alive.value.wrappingAdd(1, ordering: .relaxed)
    }
    deinit { alive.value.wrappingSubtract(1, ordering: .relaxed) }
  }

  final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  @Test func handsOverEveryValueInOrder() {
    let queue = BoundedQueue<Token>(capacity: 3)
    let alive = Counter()
    DispatchQueue(label: "producer").async {
      for number in 0..<10_000 { _ = queue.push(Token(number, alive)) }
      queue.close()
    }
    var expected = 0
    while let token = queue.pop() {
      #expect(token.number == expected)
      expected += 1
    }
    #expect(expected == 10_000)
    #expect(alive.value.load(ordering: .relaxed) == 0)
  }

  @Test func takesValuesFromTwoProducersUntilBothHaveEnded() {
    let queue = BoundedQueue<Token>(capacity: 2, producers: 2)
    let alive = Counter()
    for start in [0, 1] {
      DispatchQueue(label: "producer \(start)").async {
        for number in 0..<2_000 { _ = queue.push(Token(number * 2 + start, alive)) }
        queue.close()
      }
    }
    var last = [-1, -1]
    while let token = queue.pop() {
      let producer = token.number % 2
      #expect(token.number > last[producer])
      last[producer] = token.number
    }
    #expect(last == [3998, 3999])
  }

  @Test func cancellingWakesAWaitingProducerAndDropsTheRest() {
    let queue = BoundedQueue<Token>(capacity: 1)
    let alive = Counter()
    let refused = DispatchSemaphore(value: 0)
    DispatchQueue(label: "producer").async {
      var number = 0
      while queue.push(Token(number, alive)) { number += 1 }
      refused.signal()
    }
    _ = queue.pop()
    queue.cancel()
    refused.wait()
    #expect(drain(queue) == 0)
    #expect(alive.value.load(ordering: .relaxed) == 0)
  }

  @Test func cancellingWakesAWaitingConsumer() {
    let queue = BoundedQueue<Token>(capacity: 1)
    let ended = DispatchSemaphore(value: 0)
    DispatchQueue(label: "consumer").async {
      _ = drain(queue)
      ended.signal()
    }
    queue.cancel()
    ended.wait()
  }
}

/// Takes everything that comes, and tells how much it was.
private func drain<Element: ~Copyable>(_ queue: BoundedQueue<Element>) -> Int {
  var count = 0
  while let element = queue.pop() {
    _ = consume element
    count += 1
  }
  return count
}

internal import Engine
internal import Synchronization

/// A result of the engine from its start until nobody waits for it any more.
final class HeldResult: Sendable {
  /// How many there are.
  final class Count: Sendable {
    fileprivate let number = Atomic(0)

    var value: Int { number.load(ordering: .relaxed) }
  }

  let pending: PendingImage
  private let count: Count

  init(_ pending: PendingImage, in count: Count) {
    self.pending = pending
    self.count = count
    count.number.add(1, ordering: .relaxed)
  }

  deinit {
    count.number.subtract(1, ordering: .relaxed)
  }
}

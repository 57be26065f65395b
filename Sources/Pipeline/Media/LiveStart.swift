/// The beginning of a live stream, where packets are put in order until each of its streams has had one.
///
/// A stream that is silent is waited for until a second has passed.
struct LiveStart {
  private static let patience = Duration.seconds(1)

  private var begun: Set<Int> = []
  private var first: Duration?

  /// Whether packets need no order any more.
  private(set) var isOver: Bool

  init(isOver: Bool) {
    self.isOver = isOver
  }

  /// Notes a packet.
  ///
  /// - Parameters:
  ///   - stream: The number of the packet's stream.
  ///   - count: How many streams there are.
  ///   - time: When the packet is decoded; `nil` where it does not say.
  mutating func add(_ stream: Int, of count: Int, at time: Duration?) {
    begun.insert(stream)
    first = first ?? time
    let waited = if let first, let time { time - first } else { Duration.zero }
    isOver = begun.count == count || waited >= Self.patience
  }
}

/// A packet that waits in a list; lists cannot hold what cannot be copied.
final class HeldPacket {
  /// The stream it belongs to.
  let stream: Int

  /// When it is presented, or `nil`.
  let time: Timestamp?

  /// How long it lasts; zero when unknown.
  let duration: Duration
  private var packet: Packet?

  init(_ packet: consuming Packet) {
    stream = packet.streamIndex
    time = packet.time
    duration = packet.duration
    self.packet = consume packet
  }

  /// Gives the packet away, once.
  func take() -> Packet? { packet.take() }
}

/// Packets that wait until their turn comes, up to a limit.
struct HeldPackets {
  private(set) var packets: [HeldPacket] = []
  private var byteCount = 0
  private let limit: Int

  // About what libav and the list keep for a packet besides its data.
  private static let fixedByteCount = 512

  /// No packets yet, and at most about `limit` bytes of them.
  init(limit: Int) { self.limit = limit }

  /// Whether the limit is exceeded.
  var isFull: Bool { byteCount > limit }

  mutating func append(_ packet: consuming Packet) {
    byteCount += packet.byteCount + HeldPackets.fixedByteCount
    packets.append(HeldPacket(packet))
  }
}

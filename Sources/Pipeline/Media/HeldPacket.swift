/// A packet that waits in a list; lists cannot hold what cannot be copied.
final class HeldPacket {
  /// The stream it belongs to.
  let stream: Int

  /// When it is presented, or `nil`.
  let time: Timestamp?
  private var packet: Packet?

  init(_ packet: consuming Packet) {
    stream = packet.streamIndex
    time = packet.time
    self.packet = consume packet
  }

  /// Gives the packet away, once.
  func take() -> Packet? { packet.take() }
}

/// Where encoded pictures and copied packets end.
protocol PacketSink: ~Copyable, Sendable {
  /// Writes a packet; its stream is one of the output's.
  mutating func write(_ packet: consuming Packet) throws(MediaError)

  /// Completes the output and makes it appear under its name.
  mutating func finish() throws(MediaError)

  /// The bytes written so far.
  var byteCount: Int { get }

  /// Copied packets that the output refused.
  var droppedPackets: Int { get }

  /// Times that had to be moved because they did not grow.
  var repairedTimes: Int { get }

  /// The names of tags that the finished output does not hold; empty before it is complete.
  var lostTags: [String] { get }
}

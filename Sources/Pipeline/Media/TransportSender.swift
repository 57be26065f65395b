/// Puts a transport stream into RTP packets as RFC 2250 has it in section 2: whole packets of the stream, and
/// the time of sending in units of 1/90,000 s.
///
/// libav's own muxer for this wants the packets of all streams in order, so that none could be sent as soon
/// as it is there.
struct TransportSender {
  private var pending: [UInt8] = []
  private var number = UInt16.random(in: .min ... .max)
  private let source = UInt32.random(in: .min ... .max)

  // Seven packets, which with all headers no usual network cuts.
  private static let packetSize = 188
  private static let largestPayload = 7 * packetSize

  // Version 2 without extensions, and the payload type of transport streams.
  private static let version: UInt8 = 0x80
  private static let payloadType: UInt8 = 33

  /// What can be sent after these bytes of the stream; what follows the last whole packet is kept.
  mutating func packets(after bytes: some Sequence<UInt8>, now: Instant) -> [[UInt8]] {
    pending += bytes
    var packets: [[UInt8]] = []
    var start = 0
    while pending.count - start >= Self.packetSize {
      let whole = (pending.count - start) / Self.packetSize * Self.packetSize
      let end = start + min(whole, Self.largestPayload)
      packets.append(header(now) + pending[start..<end])
      start = end
    }
    pending.removeFirst(start)
    return packets
  }

  private mutating func header(_ now: Instant) -> [UInt8] {
    defer { number &+= 1 }
    let time = UInt32(truncatingIfNeeded: now.nanoseconds / 100_000 * 9)
    return [Self.version, Self.payloadType] + number.bigEndianBytes + time.bigEndianBytes
      + source.bigEndianBytes
  }
}

extension FixedWidthInteger {
  fileprivate var bigEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
  }
}

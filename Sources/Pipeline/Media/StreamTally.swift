/// How many packets a stream has and when they are shown, in a form that never grows.
///
/// Times count from the first packet: a container may move all of them by one offset.
struct StreamTally: Hashable {
  /// The number of packets.
  private(set) var count = 0

  /// A hash of the presentation times in their order; `nil` when a packet has none.
  private(set) var times: UInt64? = 0

  private var first: Int64?

  /// Counts a packet whose presentation time is `ticks`.
  mutating func add(_ ticks: Int64?) {
    count += 1
    guard let ticks else { return times = nil }
    let origin = first ?? ticks
    first = origin
    // FNV-1a over whole numbers instead of bytes.
    times = times.map { ($0 ^ UInt64(bitPattern: ticks &- origin)) &* 0x100_0000_01B3 }
  }
}

internal import FFmpegC

/// Compares the clusters of a Matroska file with the checksums that they begin with.
///
/// RFC 8794, section 11.3.1: an element may begin with a CRC-32 of all that follows in it. libav
/// writes them and does not look at them. Other parts of the file are left alone: tools change
/// titles and tags in place, and not all of them put the checksum right.
struct MatroskaCheck {
  /// The clusters that differ from their checksums.
  private(set) var faultCount = 0

  private enum State {
    case header
    case start(remaining: Int)
    case checked(remaining: Int, expected: UInt32, sum: UInt32)
    case skipped(remaining: Int)
    case over
  }

  private var state = State.header
  private var collected: [UInt8] = []

  // The identifier of a checksum, and the size of its four bytes.
  private static let checksum: [UInt8] = [0xBF, 0x84]
  private static let checksumSize = 6

  /// Looks at the next bytes of the file.
  mutating func look(at bytes: UnsafeBufferPointer<UInt8>) {
    var rest = unsafe bytes[...]
    while let byte = unsafe rest.first {
      switch state {
      case .header:
        unsafe rest.removeFirst()
        addToHeader(byte)
      case .start(let remaining):
        unsafe rest.removeFirst()
        addToStart(byte, remaining)
      case .checked(let remaining, let expected, let sum):
        let part = unsafe rest.prefix(remaining)
        let count = unsafe part.count
        unsafe rest.removeFirst(count)
        let sum = unsafe MatroskaCheck.sum(sum, part)
        state = .checked(remaining: remaining - count, expected: expected, sum: sum)
      case .skipped(let remaining):
        let count = unsafe min(remaining, rest.count)
        unsafe rest.removeFirst(count)
        state = .skipped(remaining: remaining - count)
      case .over: return
      }
      endElement()
    }
  }

  private mutating func addToHeader(_ byte: UInt8) {
    collected.append(byte)
    switch MatroskaElement.Header(collected) {
    case .incomplete: return
    case .invalid: state = .over
    // Its parts are looked at one by one, and what follows it just as they are.
    case .complete(let element) where element.isOpen: state = .header
    case .complete(let element) where element.isCluster: state = .start(remaining: element.size)
    case .complete(let element): state = .skipped(remaining: element.size)
    }
    collected = []
  }

  private mutating func addToStart(_ byte: UInt8, _ remaining: Int) {
    collected.append(byte)
    let count = collected.count
    guard MatroskaCheck.checksum.prefix(count).elementsEqual(collected.prefix(2)) else {
      collected = []
      return state = .skipped(remaining: remaining - count)
    }
    guard count == MatroskaCheck.checksumSize else { return }
    let expected: UInt32 = collected.suffix(4).littleEndian()
    collected = []
    state = .checked(remaining: remaining - count, expected: expected, sum: .max)
  }

  private mutating func endElement() {
    switch state {
    case .checked(let remaining, let expected, let sum) where remaining <= 0:
      if ~sum != expected { faultCount += 1 }
      state = .header
    case .skipped(let remaining) where remaining <= 0: state = .header
    // Too short for a checksum.
    case .start(let remaining) where collected.count >= remaining:
      collected = []
      state = .header
    default: break
    }
  }

  private static func sum(_ sum: UInt32, _ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> UInt32 {
    let table = unsafe av_crc_get_table(AV_CRC_32_IEEE_LE)
    let buffer = unsafe UnsafeBufferPointer(rebasing: bytes)
    return unsafe av_crc(table, sum, buffer.baseAddress, buffer.count)
  }
}

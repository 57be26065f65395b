/// What the first bytes of an EBML element say about it (RFC 8794, sections 4 and 5).
struct MatroskaElement: Hashable {
  let identifier: UInt64

  /// How many bytes follow; `nil` when only the elements that follow tell.
  let knownSize: Int?

  /// Whether its parts take its place: a segment is never looked at as a whole.
  var isOpen: Bool { identifier == 0x1853_8067 || knownSize == nil }

  /// Whether it holds pictures and sound.
  var isCluster: Bool { identifier == 0x1F43_B675 }

  var size: Int { knownSize ?? 0 }

  /// Bytes that begin with an element, or may do so once there are more.
  enum Header: Hashable {
    case incomplete
    case invalid
    case complete(MatroskaElement)

    init(_ bytes: [UInt8]) {
      // An identifier keeps the bit that tells its length, a size loses it.
      guard let first = bytes.first else { self = .incomplete; return }
      let identifierLength = first.leadingZeroBitCount + 1
      guard identifierLength <= 4 else { self = .invalid; return }
      guard bytes.count > identifierLength else { self = .incomplete; return }
      let sizeLength = bytes[identifierLength].leadingZeroBitCount + 1
      guard sizeLength <= 8 else { self = .invalid; return }
      guard bytes.count >= identifierLength + sizeLength else { self = .incomplete; return }
      let value: UInt64 = bytes[identifierLength..<(identifierLength + sizeLength)].bigEndian()
      let largest: UInt64 = 1 << (7 * UInt64(sizeLength)) - 1
      self = .complete(
        MatroskaElement(
          identifier: bytes[..<identifierLength].bigEndian(),
          knownSize: value & largest == largest ? nil : Int(value & largest)
        )
      )
    }
  }
}

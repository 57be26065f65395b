/// The CRC-32 of zip archives (ISO 3309, reflected polynomial 0xEDB88320), fed piece by piece.
struct Checksum {
  private var state: UInt32 = 0xFFFF_FFFF

  /// The checksum of everything so far.
  var value: UInt32 { ~state }

  /// Adds bytes, eight at a time: "slicing by 8" (Kounavis and Berry, 2005) reads one table per byte.
  mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      Checksum.tables.withUnsafeBufferPointer { tables in
        var crc = state
        let whole = bytes.count / 8 * 8
        for start in stride(from: 0, to: whole, by: 8) {
          var word = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
          )
          word ^= UInt64(crc)
          crc = 0
          for table in 0..<8 {
            crc ^= tables[(7 - table) * 256 + Int(truncatingIfNeeded: word & 0xFF)]
            word >>= 8
          }
        }
        for byte in bytes[whole...] { crc = crc >> 8 ^ tables[Int((crc ^ UInt32(byte)) & 0xFF)] }
        state = crc
      }
    }
  }

  // Table k maps a byte to its remainder after k more zero bytes.
  private static let tables: [UInt32] = {
    var tables = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
    }
    for index in 256..<2048 {
      let before = tables[index - 256]
      tables.append(before >> 8 ^ tables[Int(before & 0xFF)])
    }
    return tables
  }()
}

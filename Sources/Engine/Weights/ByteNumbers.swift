extension RandomAccessCollection<UInt8> where Index == Int {
  /// The little-endian number at an offset, of which all bytes are there.
  func number<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number {
    var number: Number = 0
    for byte in 0..<(Number.bitWidth / 8) {
      number |= Number(truncatingIfNeeded: self[startIndex + offset + byte]) << Number(byte * 8)
    }
    return number
  }
}

/// Bytes of a file as a number without sign.
extension BidirectionalCollection<UInt8> {
  /// The most significant byte is the first.
  func bigEndian<Number: FixedWidthInteger>() -> Number {
    reduce(0) { $0 << 8 | Number($1) }
  }

  /// The most significant byte is the last.
  func littleEndian<Number: FixedWidthInteger>() -> Number {
    reversed().bigEndian()
  }
}

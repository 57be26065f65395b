/// The bytes of a pickle, taken from front to back.
struct PickleReader {
  /// Where the next byte lies.
  private(set) var position = 0

  private let bytes: [UInt8]

  // Names of tensors are far shorter.
  private static let textLimit = 64 << 10

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func byte() throws(WeightsFault) -> UInt8 { try number(UInt8.self) }

  /// A little-endian number.
  mutating func number<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(WeightsFault) -> Number {
    let count = Number.bitWidth / 8
    try require(count)
    defer { position += count }
    return bytes.number(type, at: position)
  }

  /// Eight bytes as a big-endian double, as BINFLOAT has it.
  mutating func double() throws(WeightsFault) -> Double {
    Double(bitPattern: try number(UInt64.self).byteSwapped)
  }

  /// A little-endian two's complement number of at most eight bytes, as LONG1 has it.
  mutating func long(byteCount: Int) throws(WeightsFault) -> Int {
    guard byteCount <= 8 else {
      throw WeightsFault("the pickle holds an integer of \(byteCount) bytes; 8 are read")
    }
    try require(byteCount)
    let start = position
    position += byteCount
    let isNegative = byteCount > 0 && bytes[position - 1] >= 0x80
    return bytes[start..<position].reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) }
  }

  mutating func text(byteCount: UInt64) throws(WeightsFault) -> [UInt8] {
    guard byteCount <= UInt64(PickleReader.textLimit) else {
      throw WeightsFault("the pickle holds a text of \(byteCount) bytes; the limit is 64 KiB")
    }
    try require(Int(byteCount))
    defer { position += Int(byteCount) }
    return Array(bytes[position..<(position + Int(byteCount))])
  }

  /// The bytes up to the end of the line, which is skipped.
  mutating func line() throws(WeightsFault) -> [UInt8] {
    let longest = bytes[position...].prefix(PickleReader.textLimit)
    guard let end = longest.firstIndex(of: UInt8(ascii: "\n")) else { throw PickleReader.truncated }
    defer { position = end + 1 }
    return Array(bytes[position..<end])
  }

  private static let truncated = WeightsFault("the pickle ends too early")

  private func require(_ count: Int) throws(WeightsFault) {
    guard count <= bytes.count - position else { throw PickleReader.truncated }
  }
}

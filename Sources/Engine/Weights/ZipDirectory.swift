/// Where a zip archive's central directory lies, from the records at the end of the file.
///
/// The names of fields are those of PKWARE's APPNOTE, sections 4.3.14 to 4.3.16.
struct ZipDirectory {
  /// The bytes of the directory.
  let range: Range<Int>

  private let count: Int

  // Two members per tensor are more than torch writes.
  private static let memberLimit = 8192
  private static let byteLimit = 8 << 20

  init(_ file: WeightsFile) throws(WeightsFault) {
    let short = try EndRecord(file)
    let long = try EndRecord.zip64(file)
    guard let long else {
      self = try ZipDirectory(short, end: file.byteCount - EndRecord.byteCount)
      return
    }
    guard short.agrees(with: long) else {
      throw WeightsFault("the archive's two end records disagree")
    }
    self = try ZipDirectory(long, end: file.byteCount - EndRecord.zip64ByteCount)
  }

  private init(_ record: EndRecord, end: Int) throws(WeightsFault) {
    guard record.count > 0, record.count <= UInt64(ZipDirectory.memberLimit) else {
      throw WeightsFault(
        "the archive has \(record.count) members; 1 to \(ZipDirectory.memberLimit) are read"
      )
    }
    guard record.size <= UInt64(ZipDirectory.byteLimit), record.offset <= UInt64(end),
      Int(record.offset) + Int(record.size) == end
    else {
      throw WeightsFault("the archive's directory is not where its end record says")
    }
    range = Int(record.offset)..<end
    count = Int(record.count)
  }

  /// The entries, each checked by itself.
  func records(in file: WeightsFile) throws(WeightsFault) -> [ZipRecord] {
    var rest = try file.bytes(range)[...]
    var records: [ZipRecord] = []
    for _ in 0..<count { records.append(try ZipRecord(takenFrom: &rest)) }
    guard rest.isEmpty else { throw WeightsFault("the archive's directory has bytes left over") }
    return records
  }
}

/// What the end of an archive says: entries, and size and offset of the directory.
private struct EndRecord {
  let count: UInt64
  let size: UInt64
  let offset: UInt64

  // 22: the end record without a comment, which torch never writes.
  static let byteCount = 22

  // The ZIP64 end record (56) and its locator (20) stand before the end record.
  static let zip64ByteCount = 22 + 20 + 56

  init(_ file: WeightsFile) throws(WeightsFault) {
    guard file.byteCount >= EndRecord.byteCount else { throw EndRecord.missing }
    let bytes = try file.bytes((file.byteCount - EndRecord.byteCount)..<file.byteCount)
    guard bytes.number(UInt32.self, at: 0) == 0x0605_4B50, bytes.number(UInt16.self, at: 20) == 0
    else { throw EndRecord.missing }
    guard bytes.number(UInt32.self, at: 4) == 0,
      bytes.number(UInt16.self, at: 8) == bytes.number(UInt16.self, at: 10)
    else { throw WeightsFault("the archive claims to be one of several parts") }
    count = UInt64(bytes.number(UInt16.self, at: 10))
    size = UInt64(bytes.number(UInt32.self, at: 12))
    offset = UInt64(bytes.number(UInt32.self, at: 16))
  }

  private init(zip64 bytes: [UInt8]) {
    count = bytes.number(UInt64.self, at: 32)
    size = bytes.number(UInt64.self, at: 40)
    offset = bytes.number(UInt64.self, at: 48)
  }

  private static let missing = WeightsFault(
    "the archive's end record is missing; the file is truncated or has bytes appended"
  )

  /// The ZIP64 end record; nil when there is no locator before the end record.
  static func zip64(_ file: WeightsFile) throws(WeightsFault) -> EndRecord? {
    let start = file.byteCount - zip64ByteCount
    guard start >= 0 else { return nil }
    let bytes = try file.bytes(start..<(start + 76))
    let locator = bytes[56...]
    guard locator.number(UInt32.self, at: 0) == 0x0706_4B50 else { return nil }
    let isSound =
      locator.number(UInt32.self, at: 4) == 0 && locator.number(UInt64.self, at: 8) == UInt64(start)
      && locator.number(UInt32.self, at: 16) == 1 && bytes.number(UInt32.self, at: 0) == 0x0606_4B50
      && bytes.number(UInt64.self, at: 4) == 44 && bytes.number(UInt64.self, at: 16) == 0
      && bytes.number(UInt64.self, at: 24) == bytes.number(UInt64.self, at: 32)
    guard isSound else { throw WeightsFault("the archive's ZIP64 end record is malformed") }
    return EndRecord(zip64: bytes)
  }

  /// Whether the numbers are those of the ZIP64 record, or say that they stand there.
  func agrees(with long: EndRecord) -> Bool {
    (count == long.count || count == 0xFFFF) && (size == long.size || size == 0xFFFF_FFFF)
      && (offset == long.offset || offset == 0xFFFF_FFFF)
  }
}

/// An entry of a zip archive's central directory.
///
/// The names of fields are those of PKWARE's APPNOTE, sections 4.3.7 to 4.3.12.
struct ZipRecord {
  let name: [UInt8]
  let checksum: UInt32

  /// Where the local header begins.
  let headerOffset: Int

  /// What stands behind the contents: signature, checksum and two sizes, or nothing.
  var descriptorByteCount: Int { hasDescriptor ? 16 : 0 }

  private var hasDescriptor: Bool { flags & ZipRecord.descriptorFlag != 0 }

  private let byteCount: Int
  private let flags: UInt16

  // Sizes and checksum stand behind the contents and are zero in the local header.
  private static let descriptorFlag: UInt16 = 1 << 3
  private static let nameIsUTF8Flag: UInt16 = 1 << 11

  private static let malformed = WeightsFault("the archive's directory is malformed")

  /// Reads an entry and removes it from `directory`.
  init(takenFrom directory: inout ArraySlice<UInt8>) throws(WeightsFault) {
    guard directory.count >= 46, directory.number(UInt32.self, at: 0) == 0x0201_4B50 else {
      throw ZipRecord.malformed
    }
    let lengths = [28, 30, 32].map { Int(directory.number(UInt16.self, at: $0)) }
    let length = lengths.reduce(46, +)
    guard directory.count >= length else { throw ZipRecord.malformed }
    name = Array(directory.dropFirst(46).prefix(lengths[0]))
    flags = directory.number(UInt16.self, at: 8)
    checksum = directory.number(UInt32.self, at: 16)
    byteCount = Int(directory.number(UInt32.self, at: 24))
    headerOffset = Int(directory.number(UInt32.self, at: 42))
    let method = directory.number(UInt16.self, at: 10)
    let storedByteCount = Int(directory.number(UInt32.self, at: 20))
    let disk = directory.number(UInt16.self, at: 34)
    directory = directory.dropFirst(length)
    try check(method: method, storedByteCount: storedByteCount, disk: disk)
  }

  private func check(
    method: UInt16,
    storedByteCount: Int,
    disk: UInt16,
  ) throws(WeightsFault) {
    guard flags & ~(ZipRecord.descriptorFlag | ZipRecord.nameIsUTF8Flag) == 0 else {
      throw fault("is encrypted or uses unknown features")
    }
    guard method == 0 else { throw fault("is compressed, which torch.save never does") }
    guard byteCount == storedByteCount, disk == 0 else {
      throw fault("has sizes that do not fit together")
    }
  }

  /// The bytes of the contents, after the local header has been compared; they end before `limit`, where
  /// the central directory begins.
  func contents(in file: WeightsFile, limit: Int) throws(WeightsFault) -> Range<Int> {
    guard headerOffset + 30 + name.count <= limit else { throw fault("lies outside the file") }
    let header = try file.bytes(headerOffset..<(headerOffset + 30 + name.count))
    guard header.number(UInt32.self, at: 0) == 0x0403_4B50, isDescribed(by: header) else {
      throw fault("has a local header that differs from the directory")
    }
    let start = headerOffset + header.count + Int(header.number(UInt16.self, at: 28))
    guard start + byteCount <= limit else { throw fault("lies outside the file") }
    let end = start + byteCount
    if hasDescriptor { try checkDescriptor(at: end, in: file, limit) }
    return start..<end
  }

  private func isDescribed(by header: [UInt8]) -> Bool {
    let sizes = [18, 22].map { Int(header.number(UInt32.self, at: $0)) }
    let numbersFit =
      sizes == [byteCount, byteCount] && header.number(UInt32.self, at: 14) == checksum
    return header.number(UInt16.self, at: 6) == flags && header.number(UInt16.self, at: 8) == 0
      && Int(header.number(UInt16.self, at: 26)) == name.count
      && header[30...].elementsEqual(name) && (hasDescriptor || numbersFit)
  }

  /// Compares what stands behind the contents with the directory.
  private func checkDescriptor(
    at offset: Int,
    in file: WeightsFile,
    _ limit: Int,
  ) throws(WeightsFault) {
    guard offset + descriptorByteCount <= limit else { throw fault("lies outside the file") }
    let bytes = try file.bytes(offset..<(offset + descriptorByteCount))
    let isSame =
      bytes.number(UInt32.self, at: 0) == 0x0807_4B50
      && bytes.number(UInt32.self, at: 4) == checksum
      && Int(bytes.number(UInt32.self, at: 8)) == byteCount
      && Int(bytes.number(UInt32.self, at: 12)) == byteCount
    guard isSame else { throw fault("has a data descriptor that differs from the directory") }
  }

  private func fault(_ reason: String) -> WeightsFault {
    WeightsFault("member \(escaped(name)) of the archive \(reason)")
  }
}

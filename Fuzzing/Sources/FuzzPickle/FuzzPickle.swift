import Engine

/// One input of libFuzzer: a pickle, put into an archive with four small storages.
///
/// The archive is made anew because its checksum would refuse every change.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let pickle = Array(UnsafeBufferPointer(start: start, count: count))
  let storages = [16, 64, 144, 8].map { [UInt8](repeating: 0, count: $0) }
  let members = storages.enumerated().map { ("m/data/\($0.offset)", $0.element) }
  archive([("m/data.pkl", pickle)] + members).withUnsafeBytes { bytes in
    _ = try? WeightStore(staticBytes: bytes, subject: "fuzz")
  }
  return 0
}

/// A zip archive of stored members.
private func archive(_ members: [(name: String, data: [UInt8])]) -> [UInt8] {
  var file: [UInt8] = []
  var directory: [UInt8] = []
  for (name, data) in members {
    let sizes = word(checksum(data)) + word(UInt32(data.count)) + word(UInt32(data.count))
    let common = [UInt8](repeating: 0, count: 8) + sizes + [UInt8(name.utf8.count), 0, 0, 0]
    directory += word(0x0201_4B50) + [0, 0, 0, 0] + common
    directory += [UInt8](repeating: 0, count: 10) + word(UInt32(file.count)) + Array(name.utf8)
    file += word(0x0403_4B50) + [0, 0] + common + Array(name.utf8) + data
  }
  let count = [UInt8(members.count), 0, UInt8(members.count), 0]
  let end = word(0x0605_4B50) + [0, 0, 0, 0] + count
  return file + directory + end + word(UInt32(directory.count)) + word(UInt32(file.count)) + [0, 0]
}

private func word(_ number: UInt32) -> [UInt8] {
  (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

private func checksum(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(0xFFFF_FFFF as UInt32) { crc, byte in
    crc >> 8 ^ checksumTable[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
  }
}

// A byte at a time: the archives are most of the work.
private let checksumTable = (0..<256 as Range<UInt32>).map { byte in
  (0..<8).reduce(byte) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
}

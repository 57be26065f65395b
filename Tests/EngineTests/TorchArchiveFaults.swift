/// The ways in which the archive of a file of `torch.save` can be hostile or broken.
extension TorchRefusalTests {
  static let archives: [BadFile] = [
    BadFile("truncated", "end record is missing", Array(torchFile([]).dropLast(30))),
    BadFile("bytes appended", "end record is missing", zip: { $0.suffix = [0] }),
    BadFile(
      "only an end record",
      "0 members",
      zip: {
        $0.members = []; $0.hasZip64 = false
      }
    ),
    BadFile("second end record", "0 members") {
      $0.suffix = littleEndian([0x0605_4B50, 0, 0, 0, 0] as [UInt32]) + [0, 0]
    },
    BadFile("bytes before", "leaves a hole before it", zip: { $0.prefix = Array("PK".utf8) }),
    BadFile("bytes before the directory", "directory is not where") {
      $0.directoryOffset = 10
      $0.hasZip64 = false
    },
    BadFile("members claimed", "end records disagree", zip: { $0.count = 3 }),
    BadFile("members claimed by ZIP64", "end records disagree", zip: { $0.zip64Count = 1 << 40 }),
    BadFile("locator lies", "ZIP64 end record is malformed", zip: { $0.locatorOffset = 1 << 63 }),
    BadFile("too many members", "65535 members; 1 to 8192 are read") {
      $0.count = 0xFFFF
      $0.hasZip64 = false
    },
    BadFile("bytes after the members", "bytes before its directory") { $0.beforeDirectory = [0] },
    BadFile("one member fewer", "bytes left over") {
      $0.count = 1
      $0.hasZip64 = false
    },
    BadFile("one member more", "directory is malformed") {
      $0.count = 3
      $0.hasZip64 = false
    },
    BadFile("two members of one name", "has two members 'm/data/0'") {
      $0.members.append($0.members[1])
    },
    BadFile("two folders", "not in one folder") {
      $0.members.append(ZipBuilder.Member("n/data.pkl", []))
    },
    BadFile("no folder", "not in one folder") { zip in
      zip.members = zip.members.map { ZipBuilder.Member("a", $0.data) }
      zip.members.removeLast()
    },
    BadFile("absolute names", "not in one folder") { zip in
      zip.members = zip.members.map {
        ZipBuilder.Member("/" + String(decoding: $0.name, as: UTF8.self), $0.data)
      }
    },
    BadFile("no data.pkl", "no data.pkl", zip: { $0.members.removeFirst() }),
    BadFile("compressed", "is compressed", zip: { $0.members[1].method = 8 }),
    BadFile("encrypted", "is encrypted", zip: { $0.members[1].flags |= 1 }),
    BadFile("wrong checksum", "its checksum differs", zip: { $0.members[1].checksum ^= 1 }),
    BadFile("other sizes", "do not fit together", zip: { $0.members[1].storedSize = 15 }),
    BadFile("on another disk", "do not fit together", zip: { $0.members[1].disk = 1 }),
    BadFile("sizes elsewhere", "lies outside the file") {
      $0.members[1].size = 0xFFFF_FFFF
      $0.members[1].storedSize = 0xFFFF_FFFF
    },
    BadFile("offset past the end", "leaves a hole before it") {
      $0.members[1].offset = 0x7FFF_FFFF
    },
    BadFile("one member over another", "overlaps another") { $0.members[1].offset = 0 },
    BadFile("other local name", "local header that differs") {
      $0.members[1].localName = Array("m/data/1".utf8)
    },
    BadFile("other size in the descriptor", "descriptor that differs") {
      $0.members[1].descriptorSize = 15
    },
    BadFile("other size in the local header", "local header that differs") {
      $0.members[1].flags = 0
      $0.members[1].descriptorSize = 15
    },
    BadFile("neither format", "neither a safetensors file nor", Array(repeating: 0xA5, count: 200)),
  ]
}

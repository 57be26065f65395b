/// The members of a zip archive as `torch.save` writes them: stored, never compressed, in one folder.
///
/// Whatever two readers could understand differently is refused: bytes that belong to no member,
/// end records or headers that disagree, members that overlap or share a name.
struct ZipArchive {
  /// A file in the archive.
  struct Member {
    /// The path below the archive's one folder.
    let name: [UInt8]

    /// The contents' bytes in the file.
    let range: Range<Int>

    let checksum: UInt32
  }

  /// The members in the order of their contents.
  let members: [Member]

  init(_ file: WeightsFile) throws(WeightsFault) {
    let directory = try ZipDirectory(file)
    let records = try directory.records(in: file).sorted { $0.headerOffset < $1.headerOffset }
    try ZipArchive.checkNames(records)
    var members: [Member] = []
    var end = 0
    for record in records {
      guard record.headerOffset == end else {
        let fault = record.headerOffset < end ? "overlaps another" : "leaves a hole before it"
        throw WeightsFault("member \(escaped(record.name)) of the archive \(fault)")
      }
      let range = try record.contents(in: file, limit: directory.range.lowerBound)
      end = range.upperBound + record.descriptorByteCount
      let name = Array(record.name[(ZipArchive.folderEnd(record.name) ?? 0)...])
      members.append(Member(name: name, range: range, checksum: record.checksum))
    }
    guard end == directory.range.lowerBound else {
      throw WeightsFault("the archive has bytes before its directory that belong to no member")
    }
    self.members = members
    try checkContents(in: file)
  }

  /// The member of this path below the folder.
  func member(_ name: String) -> Member? {
    let name = Array(name.utf8)
    return members.first { $0.name == name }
  }

  private static func checkNames(_ records: [ZipRecord]) throws(WeightsFault) {
    var names: Set<[UInt8]> = []
    for record in records {
      guard names.insert(record.name).inserted else {
        throw WeightsFault("the archive has two members \(escaped(record.name))")
      }
    }
    let folders = Set(records.map { record in folderEnd(record.name).map { record.name[..<$0] } })
    guard folders.count == 1, let folder = folders.first, let folder, folder.count > 1 else {
      throw WeightsFault("the archive's members are not in one folder, as torch.save puts them")
    }
  }

  /// The index after the first slash.
  private static func folderEnd(_ name: [UInt8]) -> Int? {
    name.firstIndex(of: UInt8(ascii: "/")).map { $0 + 1 }
  }

  private func checkContents(in file: WeightsFile) throws(WeightsFault) {
    for member in members {
      var checksum = Checksum()
      try file.forEachPiece(of: member.range) { checksum.update($0) }
      guard checksum.value == member.checksum else {
        throw WeightsFault("member \(escaped(member.name)) is damaged: its checksum differs")
      }
    }
  }
}

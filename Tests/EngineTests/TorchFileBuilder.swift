@testable import Engine

/// The instructions of pickles, under the names of Python's `pickletools`.
enum Pickle {
  static let mark: [UInt8] = [0x28]
  static let reduce: [UInt8] = [0x52]
  static let emptyTuple: [UInt8] = [0x29]
  static let emptyDictionary: [UInt8] = [0x7D]
  static let no: [UInt8] = [0x89]
  static let none: [UInt8] = [0x4E]
  static let ordered = global("collections", "OrderedDict") + emptyTuple + reduce

  static func text(_ text: String) -> [UInt8] {
    [0x58] + littleEndian([UInt32(text.utf8.count)]) + Array(text.utf8)
  }

  static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + littleEndian([value]) }

  static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  static func tuple(_ items: [UInt8]...) -> [UInt8] { mark + items.flatMap { $0 } + [0x74] }

  static func tuple(_ integers: [Int]) -> [UInt8] {
    mark + integers.flatMap { integer($0) } + [0x74]
  }

  static func dictionary(_ items: (key: String, value: [UInt8])...) -> [UInt8] {
    ordered + mark + items.flatMap { text($0.key) + $0.value } + [0x75]
  }

  /// A whole pickle of protocol 2.
  static func file(_ body: [UInt8]) -> [UInt8] { [0x80, 2] + body + [0x2E] }

  /// A tensor as `torch.save` describes it; by default four floats of the storage `0`.
  static func tensor(
    storage: [UInt8] = storage(),
    offset: Int = 0,
    size: [Int] = [4],
    stride: [Int] = [1],
    hooks: [UInt8] = ordered,
  ) -> [UInt8] {
    global("torch._utils", "_rebuild_tensor_v2")
      + tuple(storage, integer(offset), tuple(size), tuple(stride), no, hooks) + reduce
  }

  static func storage(
    tag: String = "storage",
    type: [UInt8] = global("torch", "FloatStorage"),
    key: [UInt8] = text("0"),
    count: Int = 4,
  ) -> [UInt8] {
    tuple(text(tag), type, key, text("cpu"), integer(count)) + [0x51]
  }
}

/// A file as `torch.save` writes it: a pickle and the storage `0` of four floats, in the folder `m`.
func torchFile(
  _ pickle: [UInt8],
  members: [(name: String, data: [UInt8])] = [],
) -> [UInt8] {
  ZipBuilder(
    [("m/data.pkl", pickle), ("m/byteorder", Array("little".utf8))]
      + [("m/data/0", bytes(of: [1, 2, 3, 4])), ("m/version", Array("3\n".utf8))] + members
  ).bytes
}

/// A zip archive in torch's layout, of which a test may change every number before it is written.
struct ZipBuilder {
  struct Member {
    var name: [UInt8]
    var localName: [UInt8]
    var data: [UInt8]
    var flags: UInt16 = 0x808
    var method: UInt16 = 0
    var checksum: UInt32
    var size: UInt32
    var storedSize: UInt32
    var descriptorSize: UInt32
    var offset: UInt32?
    var disk: UInt16 = 0

    init(_ name: String, _ data: [UInt8]) {
      self.name = Array(name.utf8)
      localName = self.name
      self.data = data
      var crc = Checksum()
      crc.update(data)
      checksum = crc.value
      size = UInt32(data.count)
      storedSize = size
      descriptorSize = size
    }
  }

  var members: [Member]
  var prefix: [UInt8] = []
  var beforeDirectory: [UInt8] = []
  var suffix: [UInt8] = []
  var hasZip64 = true
  var count: UInt16?
  var zip64Count: UInt64?
  var directoryOffset: UInt32?
  var locatorOffset: UInt64?

  init(_ members: [(name: String, data: [UInt8])]) {
    self.members = members.map { Member($0.name, $0.data) }
  }

  var bytes: [UInt8] {
    var file = prefix
    var directory: [UInt8] = []
    for member in members {
      directory += central(member, offset: UInt32(file.count))
      file += local(member)
    }
    file += beforeDirectory
    let offset = file.count
    file += directory
    if hasZip64 { file += zip64(offset: offset, size: directory.count, at: file.count) }
    let number = count ?? UInt16(members.count)
    file += littleEndian([0x0605_4B50 as UInt32]) + littleEndian([0, 0, number, number])
    file += littleEndian([UInt32(directory.count), directoryOffset ?? UInt32(offset)])
    return file + [0, 0] + suffix
  }

  private func local(_ member: Member) -> [UInt8] {
    let hasDescriptor = member.flags & 8 != 0
    let numbers =
      hasDescriptor ? [0, 0, 0] : [member.checksum, member.storedSize, member.descriptorSize]
    let descriptor: [UInt32] =
      hasDescriptor
      ? [0x0807_4B50, member.checksum, member.descriptorSize, member.descriptorSize] : []
    return littleEndian([0x0403_4B50 as UInt32])
      + littleEndian([0, member.flags, member.method, 0, 0]) + littleEndian(numbers)
      + littleEndian([UInt16(member.localName.count), 0]) + member.localName + member.data
      + littleEndian(descriptor)
  }

  private func central(_ member: Member, offset: UInt32) -> [UInt8] {
    littleEndian([0x0201_4B50 as UInt32]) + littleEndian([0, 0, member.flags, member.method, 0, 0])
      + littleEndian([member.checksum, member.storedSize, member.size])
      + littleEndian([UInt16(member.name.count), 0, 0, member.disk, 0])
      + littleEndian([0, member.offset ?? offset]) + member.name
  }

  private func zip64(offset: Int, size: Int, at position: Int) -> [UInt8] {
    let number = zip64Count ?? UInt64(members.count)
    return littleEndian([0x0606_4B50 as UInt32]) + littleEndian([44 as UInt64])
      + littleEndian([45, 45] as [UInt16]) + littleEndian([0, 0] as [UInt32])
      + littleEndian([number, number, UInt64(size), UInt64(offset)])
      + littleEndian([0x0706_4B50, 0] as [UInt32])
      + littleEndian([locatorOffset ?? UInt64(position)]) + littleEndian([1 as UInt32])
  }
}

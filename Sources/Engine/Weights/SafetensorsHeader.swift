/// The header of a safetensors file: what lies where, and text about it.
///
/// Everything is checked before a tensor is read: names are unique, types known, shapes and byte ranges
/// agree, and the ranges tile the data exactly, without hole or overlap.
struct SafetensorsHeader {
  struct Entry {
    let name: [UInt8]
    let type: ElementType
    let dimensions: [Int]
    let range: Range<Int>
  }

  /// The tensors in the order of their data.
  let entries: [Entry]

  /// The strings under `__metadata__`.
  let metadata: [String: String]

  /// Where the data begins in the file.
  let dataOffset: Int

  /// What makes the file unusable, in words that follow its name.
  typealias Failure = JSONParser.Failure

  // Real headers are a few hundred kilobytes at most.
  private static let byteLimit = 16 << 20
  private static let entryLimit = 4096

  init(_ file: UnsafeRawBufferPointer) throws(Failure) {
    guard file.count >= 8 else {
      throw Failure(reason: "the file is too short to be a safetensors file")
    }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= SafetensorsHeader.byteLimit else {
      throw Failure(reason: "the header claims \(length) bytes; is this a safetensors file?")
    }
    guard length > 0, Int(length) <= file.count - 8 else {
      throw Failure(reason: "the file ends inside its header; it is truncated or not safetensors")
    }
    dataOffset = 8 + Int(length)
    let text = [UInt8](file[8..<dataOffset])
    guard case .object(let members) = try JSONParser.parse(text[...]) else {
      throw Failure(reason: "the header is no object")
    }
    metadata = try SafetensorsHeader.metadata(in: members)
    entries = try SafetensorsHeader.entries(in: members)
    try SafetensorsHeader.checkTiling(entries, dataByteCount: file.count - dataOffset)
  }

  private static let metadataName = Array("__metadata__".utf8)

  private static func metadata(
    in members: [(name: [UInt8], value: JSONValue)]
  ) throws(Failure) -> [String: String] {
    guard let value = members.first(where: { $0.name == metadataName })?.value else { return [:] }
    guard case .object(let pairs) = value else {
      throw Failure(reason: "__metadata__ is no object")
    }
    var metadata: [String: String] = [:]
    for pair in pairs {
      guard case .string(let bytes) = pair.value else {
        throw Failure(reason: "__metadata__ holds something other than strings")
      }
      metadata[String(decoding: pair.name, as: UTF8.self)] = String(decoding: bytes, as: UTF8.self)
    }
    return metadata
  }

  private static func entries(
    in members: [(name: [UInt8], value: JSONValue)]
  ) throws(Failure) -> [Entry] {
    let tensors = members.filter { $0.name != metadataName }
    guard tensors.count <= entryLimit else {
      throw Failure(reason: "the file has \(tensors.count) tensors; the limit is \(entryLimit)")
    }
    let entries = try tensors.map { (tensor) throws(Failure) in
      try Entry(name: tensor.name, description: tensor.value)
    }
    return entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
  }

  private static func checkTiling(_ entries: [Entry], dataByteCount: Int) throws(Failure) {
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        let fault =
          entry.range.lowerBound < end ? "overlaps the one before" : "leaves a hole before it"
        throw Failure(reason: "tensor \(escaped(entry.name)) \(fault)")
      }
      end = entry.range.upperBound
    }
    guard end <= dataByteCount else {
      throw Failure(reason: "the file is truncated: \(end - dataByteCount) bytes are missing")
    }
    guard end == dataByteCount else {
      throw Failure(reason: "\(dataByteCount - end) bytes follow the last tensor")
    }
  }
}

extension SafetensorsHeader.Entry {
  fileprivate init(
    name: [UInt8],
    description: JSONValue,
  ) throws(SafetensorsHeader.Failure) {
    func failure(_ reason: String) -> SafetensorsHeader.Failure {
      .init(reason: "tensor \(escaped(name)) \(reason)")
    }
    guard case .object(let fields) = description, fields.count == 3 else {
      throw failure("needs exactly dtype, shape and data_offsets")
    }
    let field = { (name: String) in fields.first { $0.name == Array(name.utf8) }?.value }
    guard case .string(let type) = field("dtype"), let type = ElementType(name: type) else {
      throw failure("has an unknown dtype")
    }
    guard let dimensions = field("shape")?.integers, dimensions.count <= 8 else {
      throw failure("has a malformed shape")
    }
    guard let offsets = field("data_offsets")?.integers, offsets.count == 2,
      offsets[0] <= offsets[1]
    else { throw failure("has malformed data_offsets") }
    guard type.byteCount(of: dimensions) == offsets[1] - offsets[0] else {
      throw failure("has a shape that does not fit its bytes")
    }
    self.init(name: name, type: type, dimensions: dimensions, range: offsets[0]..<offsets[1])
  }
}

extension JSONValue {
  fileprivate var integers: [Int]? {
    guard case .array(let elements) = self else { return nil }
    var integers: [Int] = []
    for element in elements {
      guard case .integer(let integer) = element else { return nil }
      integers.append(integer)
    }
    return integers
  }
}

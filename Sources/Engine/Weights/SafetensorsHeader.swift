/// The header of a safetensors file: what lies where, and text about it.
///
/// Everything is checked before a tensor is read: names are unique, types known, shapes and byte ranges
/// agree, and the ranges tile the data exactly, without hole or overlap.
struct SafetensorsHeader {
  /// The tensors in the order of their data.
  let tensors: [StoredTensor]

  /// The strings under `__metadata__`.
  let metadata: [String: String]

  /// The largest header; real ones are a few hundred kilobytes at most.
  static let byteLimit = 16 << 20

  private static let tensorLimit = 4096

  init(_ file: WeightsFile) throws(WeightsFault) {
    let data = try SafetensorsHeader.dataRange(in: file)
    let text = try file.bytes(8..<data.lowerBound)
    guard case .object(let members) = try JSONParser.parse(text[...]) else {
      throw WeightsFault("the header is no object")
    }
    metadata = try SafetensorsHeader.metadata(in: members)
    tensors = try SafetensorsHeader.tensors(in: members, dataOffset: data.lowerBound)
    try SafetensorsHeader.checkTiling(tensors, of: data)
  }

  private static func dataRange(in file: WeightsFile) throws(WeightsFault) -> Range<Int> {
    guard file.byteCount >= 8 else {
      throw WeightsFault("the file is too short to be a safetensors file")
    }
    let length = try file.bytes(0..<8).number(UInt64.self, at: 0)
    guard length <= SafetensorsHeader.byteLimit else {
      throw WeightsFault("the header claims \(length) bytes; is this a safetensors file?")
    }
    guard length > 0, Int(length) <= file.byteCount - 8 else {
      throw WeightsFault("the file ends inside its header; it is truncated or not safetensors")
    }
    return (8 + Int(length))..<file.byteCount
  }

  private static let metadataName = Array("__metadata__".utf8)

  private static func metadata(
    in members: [(name: [UInt8], value: JSONValue)]
  ) throws(WeightsFault) -> [String: String] {
    guard let value = members.first(where: { $0.name == metadataName })?.value else { return [:] }
    guard case .object(let pairs) = value else {
      throw WeightsFault("__metadata__ is no object")
    }
    var metadata: [String: String] = [:]
    for pair in pairs {
      guard case .string(let bytes) = pair.value else {
        throw WeightsFault("__metadata__ holds something other than strings")
      }
      metadata[String(decoding: pair.name, as: UTF8.self)] = String(decoding: bytes, as: UTF8.self)
    }
    return metadata
  }

  private static func tensors(
    in members: [(name: [UInt8], value: JSONValue)],
    dataOffset: Int,
  ) throws(WeightsFault) -> [StoredTensor] {
    let described = members.filter { $0.name != metadataName }
    guard described.count <= tensorLimit else {
      throw WeightsFault("the file has \(described.count) tensors; the limit is \(tensorLimit)")
    }
    let tensors = try described.map { (tensor) throws(WeightsFault) in
      try StoredTensor(name: tensor.name, description: tensor.value, dataOffset: dataOffset)
    }
    return tensors.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
  }

  private static func checkTiling(
    _ tensors: [StoredTensor],
    of data: Range<Int>,
  ) throws(WeightsFault) {
    var end = data.lowerBound
    for tensor in tensors {
      guard tensor.range.lowerBound == end else {
        let fault =
          tensor.range.lowerBound < end ? "overlaps the one before" : "leaves a hole before it"
        throw WeightsFault("tensor \(escaped(tensor.name)) \(fault)")
      }
      end = tensor.range.upperBound
    }
    guard end <= data.upperBound else {
      throw WeightsFault("the file is truncated: \(end - data.upperBound) bytes are missing")
    }
    guard end == data.upperBound else {
      throw WeightsFault("\(data.upperBound - end) bytes follow the last tensor")
    }
  }
}

extension StoredTensor {
  fileprivate init(
    name: [UInt8],
    description: JSONValue,
    dataOffset: Int,
  ) throws(WeightsFault) {
    func fault(_ reason: String) -> WeightsFault {
      WeightsFault("tensor \(escaped(name)) \(reason)")
    }
    guard case .object(let fields) = description, fields.count == 3 else {
      throw fault("needs exactly dtype, shape and data_offsets")
    }
    let field = { (name: String) in fields.first { $0.name == Array(name.utf8) }?.value }
    guard case .string(let type) = field("dtype"), let type = ElementType(name: type) else {
      throw fault("has an unknown dtype")
    }
    guard let dimensions = field("shape")?.integers, dimensions.count <= 8 else {
      throw fault("has a malformed shape")
    }
    guard let offsets = field("data_offsets")?.integers, offsets.count == 2,
      offsets[0] <= offsets[1], offsets[1] <= WeightsFile.byteLimit
    else { throw fault("has malformed data_offsets") }
    guard type.byteCount(of: dimensions) == offsets[1] - offsets[0] else {
      throw fault("has a shape that does not fit its bytes")
    }
    let range = (dataOffset + offsets[0])..<(dataOffset + offsets[1])
    self.init(name: name, type: type, dimensions: dimensions, range: range)
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

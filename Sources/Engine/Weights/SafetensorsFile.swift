/// A tensor that a file gets beside those of the files that it is made from.
struct AddedTensor: Sendable {
  let name: [UInt8]
  let type: ElementType
  let bytes: [UInt8]

  /// One-dimensional, of a type whose elements are bytes.
  init(_ name: String, _ type: ElementType, _ bytes: [UInt8]) {
    self.name = Array(name.utf8)
    self.type = type
    self.bytes = bytes
  }

  /// One-dimensional, in single precision.
  init(_ name: String, _ floats: [Float]) {
    self.name = Array(name.utf8)
    type = .float32
    bytes = floats.flatMap { float in
      (0..<4).map { UInt8(truncatingIfNeeded: float.bitPattern >> (8 * $0)) }
    }
  }
}

/// A model as a safetensors file: a header with the metadata and the tensors, then their data.
///
/// Types stay as they are; what was strided becomes row-major.
public struct SafetensorsFile: Sendable {
  private let entries: [Entry]
  private let header: [UInt8]

  private struct Entry: Sendable {
    let name: [UInt8]
    let type: ElementType
    let dimensions: [Int]
    let bytes: @Sendable () throws(EngineError) -> [UInt8]

    var byteCount: Int { dimensions.reduce(type.byteCount, *) }
  }

  /// Describes the file for the tensors of all `stores`, with these strings as metadata.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when two of them have a tensor of one name.
  public init(_ stores: [WeightStore], metadata: [String: String]) throws(EngineError) {
    try self.init(stores, replacing: nil, with: [], metadata: metadata)
  }

  /// As above, with tensors that take the place of those whose names begin with a prefix.
  init(
    _ stores: [WeightStore],
    replacing prefix: String?,
    with added: [AddedTensor],
    metadata: [String: String],
  ) throws(EngineError) {
    var entries: [Entry] = []
    var names: Set<[UInt8]> = []
    for store in stores {
      for tensor in store.sortedTensors {
        if let prefix, tensor.name.starts(with: prefix.utf8) { continue }
        guard names.insert(tensor.name).inserted else {
          throw store.failure("tensor \(escaped(tensor.name)) is in the other file, too")
        }
        entries.append(
          Entry(name: tensor.name, type: tensor.type, dimensions: tensor.dimensions) {
            () throws(EngineError) in try store.bytes(of: tensor)
          }
        )
      }
    }
    entries += added.map { tensor in
      Entry(
        name: tensor.name,
        type: tensor.type,
        dimensions: [tensor.bytes.count / tensor.type.byteCount],
      ) { tensor.bytes }
    }
    self.entries = entries
    header = Self.header(entries, metadata)
  }

  private static func header(_ entries: [Entry], _ metadata: [String: String]) -> [UInt8] {
    var offset = 0
    let tensors = entries.map { entry in
      let end = offset + entry.byteCount
      defer { offset = end }
      return """
        \(quoted(entry.name)):{"dtype":"\(entry.type.rawValue)",\
        "shape":\(list(entry.dimensions)),"data_offsets":\(list([offset, end]))}
        """
    }
    let strings = metadata.sorted { $0.key < $1.key }
      .map { "\(quoted(Array($0.key.utf8))):\(quoted(Array($0.value.utf8)))" }
    let text = (["\"__metadata__\":{\(strings.joined(separator: ","))}"] + tensors)
      .joined(separator: ",")
    // Data begins on a multiple of eight bytes, as the format's own library writes it.
    let spaces = String(repeating: " ", count: (8 - (text.utf8.count + 2) % 8) % 8)
    return Array("{\(text)}\(spaces)".utf8)
  }

  /// Calls `body` with the bytes of the file, piece by piece.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when a tensor cannot be read, and what `body` throws.
  public func forEachPiece(_ body: ([UInt8]) throws -> Void) throws {
    let length = UInt64(header.count)
    try body((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header)
    for entry in entries { try body(entry.bytes()) }
  }
}

private func list(_ integers: [Int]) -> String {
  "[" + integers.map(String.init).joined(separator: ",") + "]"
}

/// A name as JSON has it: quoted, with quotes, backslashes and control characters escaped.
private func quoted(_ name: [UInt8]) -> String {
  let text = String(decoding: name, as: UTF8.self).unicodeScalars.map { scalar in
    switch scalar {
    case "\"", "\\": "\\\(scalar)"
    case "\0"..<" ":
      "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
    default: String(scalar)
    }
  }
  return "\"" + text.joined() + "\""
}

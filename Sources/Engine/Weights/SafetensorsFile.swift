/// A model as a safetensors file: a header with the metadata and the tensors, then their data.
///
/// Types stay as they are; what was strided becomes row-major.
public struct SafetensorsFile: Sendable {
  private let stores: [WeightStore]
  private let header: [UInt8]

  /// Describes the file for the tensors of all `stores`, with these strings as metadata.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when two of them have a tensor of one name.
  public init(_ stores: [WeightStore], metadata: [String: String]) throws(EngineError) {
    self.stores = stores
    var names: Set<[UInt8]> = []
    for store in stores {
      for tensor in store.sortedTensors where !names.insert(tensor.name).inserted {
        throw store.failure("tensor \(escaped(tensor.name)) is in the other file, too")
      }
    }
    var offset = 0
    let entries = stores.flatMap(\.sortedTensors).map { tensor in
      let end = offset + tensor.count * tensor.type.byteCount
      defer { offset = end }
      return """
        \(quoted(tensor.name)):{"dtype":"\(tensor.type.rawValue)",\
        "shape":\(list(tensor.dimensions)),"data_offsets":\(list([offset, end]))}
        """
    }
    let strings = metadata.sorted { $0.key < $1.key }
      .map { "\(quoted(Array($0.key.utf8))):\(quoted(Array($0.value.utf8)))" }
    let text = (["\"__metadata__\":{\(strings.joined(separator: ","))}"] + entries)
      .joined(separator: ",")
    // Data begins on a multiple of eight bytes, as the format's own library writes it.
    let spaces = String(repeating: " ", count: (8 - (text.utf8.count + 2) % 8) % 8)
    header = Array("{\(text)}\(spaces)".utf8)
  }

  /// Calls `body` with the bytes of the file, piece by piece.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when a tensor cannot be read, and what `body` throws.
  public func forEachPiece(_ body: ([UInt8]) throws -> Void) throws {
    let length = UInt64(header.count)
    try body((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header)
    for store in stores {
      for tensor in store.sortedTensors { try body(store.bytes(of: tensor)) }
    }
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

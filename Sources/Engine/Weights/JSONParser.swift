/// The JSON that a safetensors header may hold: objects, arrays, strings and unsigned integers.
enum JSONValue {
  case object([(name: [UInt8], value: JSONValue)])
  case array([JSONValue])
  case string([UInt8])
  case integer(Int)
}

/// A strict parser for that JSON: no duplicate names, no fractions, no text before or after the object.
///
/// Names stay bytes, because Swift's strings treat differently encoded names as equal.
struct JSONParser {
  // Headers nest three deep; the limit keeps hostile ones off the stack.
  private static let depthLimit = 8

  private let text: ArraySlice<UInt8>
  private var position: Int

  /// Parses the whole text as one object.
  static func parse(_ text: ArraySlice<UInt8>) throws(WeightsFault) -> JSONValue {
    guard String(validating: text, as: UTF8.self) != nil else {
      throw WeightsFault("the header is not UTF-8")
    }
    guard text.first == UInt8(ascii: "{") else {
      throw WeightsFault("the header does not begin with '{'")
    }
    var parser = JSONParser(text: text, position: text.startIndex)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.position == text.endIndex else { throw parser.unexpected("after the header") }
    return value
  }

  private init(text: ArraySlice<UInt8>, position: Int) {
    self.text = text
    self.position = position
  }

  private mutating func value(depth: Int) throws(WeightsFault) -> JSONValue {
    guard depth < JSONParser.depthLimit else { throw unexpected("nested too deeply") }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .integer(try integer())
    default: throw unexpected("where a value belongs")
    }
  }

  private mutating func object(depth: Int) throws(WeightsFault) -> JSONValue {
    var members: [(name: [UInt8], value: JSONValue)] = []
    var names: Set<[UInt8]> = []
    try list(from: "{", to: "}") { (parser) throws(WeightsFault) in
      let name = try parser.string()
      guard names.insert(name).inserted else {
        throw WeightsFault("\(escaped(name)) appears twice in the header")
      }
      parser.skipSpace()
      try parser.expect(":")
      members.append((name, try parser.value(depth: depth + 1)))
    }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(WeightsFault) -> JSONValue {
    var elements: [JSONValue] = []
    try list(from: "[", to: "]") { (parser) throws(WeightsFault) in
      elements.append(try parser.value(depth: depth + 1))
    }
    return .array(elements)
  }

  private mutating func list(
    from opening: Unicode.Scalar,
    to closing: Unicode.Scalar,
    _ element: (inout JSONParser) throws(WeightsFault) -> Void,
  ) throws(WeightsFault) {
    try expect(opening)
    skipSpace()
    if take(closing) { return }
    repeat {
      skipSpace()
      try element(&self)
      skipSpace()
    } while take(",")
    try expect(closing)
  }

  private mutating func integer() throws(WeightsFault) -> Int {
    let start = position
    while let digit = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
      position += 1
    }
    let digits = text[start..<position]
    let hasLeadingZero = digits.count > 1 && digits.first == UInt8(ascii: "0")
    guard !hasLeadingZero, let value = Int(String(decoding: digits, as: UTF8.self)) else {
      throw WeightsFault("the header holds a number that is out of range or malformed")
    }
    return value
  }
}

// MARK: - Strings

extension JSONParser {
  private mutating func string() throws(WeightsFault) -> [UInt8] {
    try expect("\"")
    var bytes: [UInt8] = []
    while !take("\"") {
      guard let byte = peek, byte >= 0x20 else { throw unexpected("in a string") }
      position += 1
      if byte == UInt8(ascii: "\\") {
        bytes += try escapeSequence()
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }

  private mutating func escapeSequence() throws(WeightsFault) -> [UInt8] {
    guard let byte = peek else { throw unexpected("in a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return Array(try unicodeScalar().utf8)
    default: throw WeightsFault("the header holds an unknown escape sequence")
    }
  }

  private mutating func unicodeScalar() throws(WeightsFault) -> String {
    var units = [try codeUnit()]
    if UTF16.isLeadSurrogate(units[0]), take("\\"), take("u") { units.append(try codeUnit()) }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw WeightsFault("the header holds half a surrogate pair")
    }
    return text
  }

  private mutating func codeUnit() throws(WeightsFault) -> UInt16 {
    let end = min(position + 4, text.endIndex)
    let digits = String(decoding: text[position..<end], as: UTF8.self)
    let isHexadecimal = digits.utf8.count == 4 && digits.allSatisfy(\.isHexDigit)
    guard isHexadecimal, let unit = UInt16(digits, radix: 16) else {
      throw WeightsFault("the header holds a malformed \\u escape")
    }
    position = end
    return unit
  }
}

// MARK: - Characters

extension JSONParser {
  private var peek: UInt8? { position < text.endIndex ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(WeightsFault) {
    guard take(character) else { throw unexpected("where '\(character)' belongs") }
  }

  private func unexpected(_ place: String) -> WeightsFault {
    WeightsFault("the header is not valid JSON at byte \(position - text.startIndex), \(place)")
  }
}

/// A name from a file, for display: quoted, control bytes escaped.
func escaped(_ name: [UInt8]) -> String {
  let text = String(decoding: name.prefix(120), as: UTF8.self)
  return "'" + text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined() + "'"
}

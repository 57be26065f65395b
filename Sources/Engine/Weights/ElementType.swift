/// The sample types of safetensors files that we read.
enum ElementType: String {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint8 = "U8"
  case boolean = "BOOL"

  init?(name: [UInt8]) {
    self.init(rawValue: String(decoding: name, as: UTF8.self))
  }

  /// The size of one element in bytes.
  var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .boolean: 1
    }
  }

  /// Whether the elements are weights.
  var isFloat: Bool {
    switch self {
    case .float64, .float32, .float16, .bfloat16: true
    case .int64, .int32, .int16, .int8, .uint8, .boolean: false
    }
  }

  /// The bytes of a tensor of this type; nil when they do not fit an `Int`.
  func byteCount(of dimensions: [Int]) -> Int? {
    var product = byteCount
    for dimension in dimensions {
      let (partial, overflow) = product.multipliedReportingOverflow(by: dimension)
      guard !overflow else { return nil }
      product = partial
    }
    return product
  }

  /// The elements as floats; nil for types that are no weights.
  func floats(_ bytes: UnsafeRawBufferPointer) -> [Float]? {
    switch self {
    case .float32: elements(of: UInt32.self, bytes) { Float(bitPattern: $0) }
    case .float64: elements(of: UInt64.self, bytes) { Float(Double(bitPattern: $0)) }
    case .bfloat16: elements(of: UInt16.self, bytes) { Float(bitPattern: UInt32($0) << 16) }
    case .float16: elements(of: UInt16.self, bytes) { Float(halfBitPattern: $0) }
    case .int64, .int32, .int16, .int8, .uint8, .boolean: nil
    }
  }

  private func elements<Bits: FixedWidthInteger>(
    of type: Bits.Type,
    _ bytes: UnsafeRawBufferPointer,
    _ float: (Bits) -> Float,
  ) -> [Float] {
    (0..<(bytes.count / byteCount)).map { index in
      float(
        Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: index * byteCount, as: Bits.self))
      )
    }
  }
}

extension Float {
  /// IEEE 754 binary16 from its bits.
  ///
  /// By hand because `Float16` does not exist on every platform that Swift supports.
  init(halfBitPattern bits: UInt16) {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Float(bits & 0x3FF) / 1024
    switch exponent {
    case 0: self = sign * fraction * 0x1p-14
    case 31: self = fraction == 0 ? sign * .infinity : .nan
    default:
      self = sign * (1 + fraction) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}

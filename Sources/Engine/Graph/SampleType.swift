internal import EngineC

/// How the samples of a value lie in memory.
public enum SampleType: Hashable, Sendable {
  /// Single precision.
  case float32

  /// The upper half of single precision: 8 bits of mantissa.
  case bfloat16

  /// Whole numbers from 0 to 255.
  case uint8(Steps)

  /// The size of a sample in bytes.
  var byteCount: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    case .uint8: 1
    }
  }
}

extension SampleType {
  /// The C kernels' code for the type.
  var native: enginec_sample_type {
    switch self {
    case .float32: enginec_float32
    case .bfloat16: enginec_bfloat16
    case .uint8: enginec_uint8
    }
  }
}

extension Graph {
  /// How each value lies in memory when convolutions multiply in a precision.
  ///
  /// A value that is rounded by all its readers is rounded by its writer, which changes no bit of the
  /// result and halves what goes through memory. Whatever is added to, as the residual stream of a
  /// network, or brought to mean 0 keeps its precision, and so do inputs and the output.
  func sampleTypes(for precision: Precision) -> [SampleType] {
    switch precision {
    case .float32: Array(repeating: .float32, count: valueCount)
    case .bfloat16: roundedTypes()
    case .int8: integerTypes()
    }
  }

  private func roundedTypes() -> [SampleType] {
    var types = [SampleType](repeating: .float32, count: valueCount)
    var isRounded = [Bool](repeating: true, count: valueCount)
    if let output { isRounded[output.index] = false }
    for operation in operations.reversed() {
      let result = operation.result.index
      if isRounded[result], operation.kind.canRound { types[result] = .bfloat16 }
      for (position, operand) in operation.operands.enumerated() {
        let rounds = operation.kind.rounds(operand: position, resultType: types[result])
        isRounded[operand.index] = isRounded[operand.index] && rounds
      }
    }
    return types
  }
}

extension Operation.Kind {
  /// Whether the operation can write rounded samples.
  fileprivate var canRound: Bool {
    switch self {
    case .convolution, .enlargedConvolution, .groupNorm, .windowAttention, .attention,
      .concatenation, .concatenationAfterSum:
      true
    case .activation, .quantization, .mean, .weightedSum, .sumOfEnlarged, .parameterFreeAttention,
      .pixelShuffle, .pixelUnshuffle, .nearest, .bicubic:
      false
    }
  }

  /// Whether the operation uses no more of an operand than its rounded samples.
  fileprivate func rounds(operand: Int, resultType: SampleType) -> Bool {
    switch self {
    case .convolution: operand == 0
    case .enlargedConvolution: true
    case .concatenation: resultType == .bfloat16
    default: false
    }
  }
}

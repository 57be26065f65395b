extension Graph {
  /// How far a pixel of the output looks around itself in the first input: the receptive radius in
  /// pixels of that input, rounded up.
  ///
  /// A tile with this many pixels of surroundings on each side gives the same output as the whole
  /// picture.
  public var halo: Int {
    guard let output, let first = inputs.first else { return 0 }
    var radius = [Double](repeating: 0, count: valueCount)
    let width = Double(shape(of: first).width)
    for operation in operations {
      let source = operation.operands[0]
      let pixel = width / Double(shape(of: source).width)
      let widest = operation.operands.map { radius[$0.index] }.max() ?? 0
      radius[operation.result.index] = widest + operation.kind.reach * pixel
    }
    return Int(radius[output.index].rounded(.up))
  }

  /// The memory for all values of one run, in bytes, without what libraries take for themselves.
  public var valueByteCount: Int {
    guard let output else { return 0 }
    return MemoryPlan(operations.indices.map { buffer(ofResultAt: $0, output: output) }).byteCount
  }

  /// Multiplications with addition that the convolutions take in one run.
  public var multiplyAddCount: Int {
    operations.reduce(0) { sum, operation in
      guard case .convolution(let convolution) = operation.kind else { return sum }
      return sum + convolution.multiplyAddsPerPixel * shape(of: operation.result).pixelCount
    }
  }
}

extension Operation.Kind {
  /// How many pixels of its operand an operation looks to each side.
  fileprivate var reach: Double {
    switch self {
    case .convolution(let convolution): Double(convolution.kernel / 2)
    case .bicubic: 2
    case .pixelUnshuffle(let factor): Double(factor - 1)
    case .weightedSum, .parameterFreeAttention, .concatenation, .pixelShuffle, .nearest: 0
    }
  }
}

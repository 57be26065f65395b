extension Graph {
  /// How far a pixel of the output looks around itself in the first input: the receptive radius in
  /// pixels of that input, rounded up; nil when every pixel depends on the whole picture.
  ///
  /// A tile with this many pixels of surroundings on each side gives the same output as the whole
  /// picture.
  public var halo: Int? {
    guard let output, let first = inputs.first else { return 0 }
    var radius = [Double](repeating: 0, count: valueCount)
    let width = Double(shape(of: first).width)
    for operation in operations {
      let source = operation.operands[0]
      let pixel = width / Double(shape(of: source).width)
      let widest = operation.operands.map { radius[$0.index] }.max() ?? 0
      guard let reach = operation.kind.reach else { return nil }
      radius[operation.result.index] = widest + reach * pixel
    }
    return Int(radius[output.index].rounded(.up))
  }

  /// Multiplications with addition that the convolutions take in one run.
  public var multiplyAddCount: Int { operations.reduce(0) { $0 + multiplyAddCount(of: $1) } }

  /// Multiplications with addition in the convolutions of an operation.
  func multiplyAddCount(of operation: Operation) -> Int {
    let input = shape(of: operation.operands[0])
    return operation.kind.convolutions.reduce(0) {
      $0 + $1.multiplyAddsPerPixel * $1.output(for: input).pixelCount
    }
  }

  /// Multiplications with addition in attention over all pixels.
  var attentionMultiplyAddCount: Int {
    operations.reduce(0) { sum, operation in
      guard case .attention = operation.kind else { return sum }
      let x = shape(of: operation.result)
      return sum + 2 * x.pixelCount * x.count
    }
  }

  /// Where all values lie, and after them the scratch memory of every operation.
  func memoryPlan(output: Value, types: [SampleType], scratch: [Int]) -> MemoryPlan {
    var lastUses = [Int](repeating: 0, count: valueCount)
    for (step, operation) in operations.enumerated() {
      for value in operation.operands { lastUses[value.index] = step }
    }
    lastUses[output.index] = operations.count
    let results = operations.enumerated().map { step, operation in
      MemoryPlan.Buffer(
        life: step...max(step, lastUses[operation.result.index]),
        byteCount: storedCount(of: operation) * types[operation.result.index].byteCount,
      )
    }
    let temporaries = scratch.indices.map {
      MemoryPlan.Buffer(life: $0...$0, byteCount: scratch[$0])
    }
    return MemoryPlan(results + temporaries)
  }

  /// The samples of a result that lie in memory at a time.
  private func storedCount(of operation: Operation) -> Int {
    let shape = shape(of: operation.result)
    guard isHandedOver, operation.result == output, let rows = operation.kind.rowsAtOnce else {
      return shape.count
    }
    return rows * shape.width * shape.channels
  }
}

extension Operation.Kind {
  /// The convolutions that an operation consists of.
  var convolutions: [Convolution] {
    switch self {
    case .convolution(let convolution, _): [convolution]
    case .enlargedConvolution(let convolution): convolution.phases
    default: []
    }
  }

  /// The rows of the result that its kernel makes at a time; nil for all.
  fileprivate var rowsAtOnce: Int? {
    switch self {
    case .sumOfEnlarged(_, let factor), .pixelShuffle(let factor), .nearest(let factor),
      .bicubic(let factor):
      factor
    case .concatenationAfterSum: 1
    default: nil
    }
  }

  /// How many pixels of its operand an operation looks to each side; nil for all.
  fileprivate var reach: Double? {
    switch self {
    case .groupNorm, .windowAttention, .attention: nil
    // Asked of graphs as networks build them only; these two come later.
    case .sumOfEnlarged, .concatenationAfterSum: nil
    case .convolution(let convolution, _):
      Double(max(convolution.padding.before, convolution.kernel - 1 - convolution.padding.before))
    case .enlargedConvolution: 1
    case .bicubic: 2
    case .pixelUnshuffle(let factor), .mean(let factor): Double(factor - 1)
    case .weightedSum, .parameterFreeAttention, .concatenation, .pixelShuffle, .nearest,
      .activation,
      .quantization:
      0
    }
  }
}

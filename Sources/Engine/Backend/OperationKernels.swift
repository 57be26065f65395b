internal import EngineC

extension Operation {
  /// The kernel that runs the operation, for at least so many rows of the result.
  func kernel(
    in graph: Graph,
    types: [SampleType],
    rows: Int,
    backend: some Backend,
  ) throws(EngineError) -> any Kernel {
    let x = graph.shape(of: operands[0])
    let resultType = types[result.index]
    return switch kind {
    case .convolution(let convolution, _):
      try backend.kernel(for: step(convolution, in: graph, types: types, rows: rows))
    case .enlargedConvolution(let convolution):
      try EnlargedConvolutionKernel(step(convolution, in: graph, types: types), backend: backend)
    case .groupNorm(let norm): norm.kernel(x, resultType: resultType)
    case .activation(let activation): activation.kernel(x)
    case .windowAttention(let attention): attention.kernel(x, resultType: resultType)
    case .attention: AttentionKernel(x, resultType: resultType, backend: backend)
    case .quantization(let codebook): codebook.kernel(x)
    case .mean(let factor): moving(x, factor, enginec_mean)
    case .weightedSum(let weights): weightedSum(weights, count: x.count)
    case .sumOfEnlarged(let terms, let factor):
      sum(
        rowSum(terms, graph.shape(of: result), factor: factor, in: graph),
        factor: factor,
        rows: rows
      )
    case .parameterFreeAttention: parameterFreeAttention(count: x.count)
    case .concatenation:
      concatenation(
        Concatenation(operands.map { (graph.shape(of: $0).channels, types[$0.index]) }, resultType),
        pixelCount: x.pixelCount,
      )
    case .concatenationAfterSum(let terms, let factor):
      concatenationAfterSum(terms, factor: factor, in: graph, types: types, rows: rows)
    case .pixelShuffle(let factor): enlargement(.pixelShuffle, of: x, factor: factor, rows: rows)
    case .nearest(let factor): enlargement(.nearest, of: x, factor: factor, rows: rows)
    case .bicubic(let factor): enlargement(.bicubic, of: x, factor: factor, rows: rows)
    case .pixelUnshuffle(let factor): moving(x, factor, enginec_pixel_unshuffle)
    }
  }

  private func concatenationAfterSum(
    _ terms: [SumTerm],
    factor: Int,
    in graph: Graph,
    types: [SampleType],
    rows: Int,
  ) -> RowKernel {
    let rest = operands.dropFirst(terms.count).map {
      (channels: graph.shape(of: $0).channels, type: types[$0.index])
    }
    let joined = graph.shape(of: result)
    let unshuffled = joined.channels - rest.reduce(0) { $0 + $1.channels }
    let large = Shape(
      height: joined.height * factor,
      width: joined.width * factor,
      channels: unshuffled / (factor * factor),
    )
    return concatenation(
      Concatenation([(unshuffled, .float32)] + rest, types[result.index]),
      after: rowSum(terms, large, factor: factor, in: graph),
      ofTerms: terms.count,
      large,
      factor: factor,
      rows: rows,
    )
  }

  private func rowSum(_ terms: [SumTerm], _ sum: Shape, factor: Int, in graph: Graph) -> RowSum {
    RowSum(terms, operands.prefix(terms.count).map { graph.shape(of: $0) }, sum, factor: factor)
  }
}

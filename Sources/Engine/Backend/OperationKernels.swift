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
    case .sumWithShuffled(let weights, let term, let factor):
      weightedSum(
        weights,
        shuffling: term,
        graph.shape(of: operands[term]),
        factor: factor,
        rows: rows,
      )
    case .parameterFreeAttention: parameterFreeAttention(count: x.count)
    case .concatenation:
      concatenation(
        Concatenation(operands.map { (graph.shape(of: $0).channels, types[$0.index]) }, resultType),
        pixelCount: x.pixelCount,
      )
    case .concatenationAfterSum(let weights, let factor):
      concatenation(
        Concatenation(
          [(x.channels * factor * factor, .float32)]
            + operands.dropFirst(weights.count).map {
              (graph.shape(of: $0).channels, types[$0.index])
            },
          resultType,
        ),
        afterSum: weights,
        x,
        factor: factor,
        rows: rows,
      )
    case .pixelShuffle(let factor): moving(x, factor, enginec_pixel_shuffle)
    case .pixelUnshuffle(let factor): moving(x, factor, enginec_pixel_unshuffle)
    case .nearest(let factor): moving(x, factor, enginec_nearest)
    case .bicubic(let factor): bicubic(x, factor: factor)
    }
  }
}

internal import EngineC

/// Which kernel runs an operation; those that move or mix samples are here.
extension Operation {
  func kernel(
    in graph: Graph,
    types: [SampleType],
    backend: some Backend,
  ) throws(EngineError) -> any Kernel {
    let x = graph.shape(of: operands[0])
    let inputs = operands.map { types[$0.index] }
    let resultType = types[result.index]
    if let step = convolutionStep(in: graph, types: types) {
      return switch kind {
      case .enlargedConvolution: try EnlargedConvolutionKernel(step, backend: backend)
      default: try backend.kernel(for: step)
      }
    }
    return switch kind {
    case .convolution, .enlargedConvolution: preconditionFailure("these are steps")
    case .groupNorm(let norm): norm.kernel(x, resultType: resultType)
    case .activation(let activation): activation.kernel(x)
    case .windowAttention(let attention):
      attention.kernel(x, qkvType: inputs[0], resultType: resultType)
    case .attention: AttentionKernel(x, resultType: resultType, backend: backend)
    case .quantization(let codebook): codebook.kernel(x)
    case .mean(let factor):
      PlainKernel { operands, result, _ in
        enginec_mean(result.floats, operands[0].floats, x.height, x.width, x.channels, factor)
      }
    case .weightedSum(let weights): weightedSum(weights, count: x.count)
    case .parameterFreeAttention:
      PlainKernel { operands, result, _ in
        let (h, x, count) = (operands[0].floats, operands[1].floats, x.count)
        enginec_parameter_free_attention(result.floats, h, x, count)
      }
    case .concatenation:
      concatenation(
        zip(operands, inputs).map { (graph.shape(of: $0), $1) },
        resultType: resultType,
      )
    case .pixelShuffle(let factor): moving(x, factor, enginec_pixel_shuffle)
    case .pixelUnshuffle(let factor): moving(x, factor, enginec_pixel_unshuffle)
    case .nearest(let factor): moving(x, factor, enginec_nearest)
    case .bicubic(let factor): bicubic(x, factor: factor)
    }
  }

  /// The operation as what a backend makes a kernel from; nil for all but convolutions.
  func convolutionStep(in graph: Graph, types: [SampleType]) -> ConvolutionStep? {
    let input = graph.shape(of: operands[0])
    var step: ConvolutionStep
    switch kind {
    case .convolution(let convolution, let scale):
      step = ConvolutionStep(convolution: convolution, input: input)
      step.residualScale = operands.count == 2 ? scale : nil
    case .enlargedConvolution(let convolution):
      step = ConvolutionStep(convolution: convolution, input: input)
    default: return nil
    }
    step.inputType = types[operands[0].index]
    step.resultType = types[result.index]
    return step
  }
}

/// A kernel that gives pixels other places.
private func moving(
  _ x: Shape,
  _ factor: Int,
  _ move:
    @escaping @Sendable (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int, Int, Int, Int
    ) -> Void,
) -> PlainKernel {
  PlainKernel { operands, result, _ in
    move(result.floats, operands[0].floats, x.height, x.width, x.channels, factor)
  }
}

private func weightedSum(_ weights: [Float], count: Int) -> PlainKernel {
  PlainKernel { operands, result, _ in
    operands.withMemoryRebound(to: UnsafePointer<Float>?.self) { terms in
      enginec_weighted_sum(result.floats, count, weights.count, terms.baseAddress, weights)
    }
  }
}

private func concatenation(_ parts: [(Shape, SampleType)], resultType: SampleType) -> PlainKernel {
  let channels = parts.reduce(0) { $0 + $1.0.channels }
  return PlainKernel { operands, result, _ in
    var first = 0
    for ((part, type), source) in zip(parts, operands) {
      enginec_place_channels(
        result,
        resultType.native,
        channels,
        first,
        source,
        type.native,
        part.pixelCount,
        part.channels,
      )
      first += part.channels
    }
  }
}

private func bicubic(_ x: Shape, factor: Int) -> PlainKernel {
  let scratch = enginec_bicubic_scratch(x.width, x.channels, factor)
  return PlainKernel(scratchByteCount: scratch * MemoryLayout<Float>.size) {
    operands,
    result,
    scratch in
    enginec_bicubic(
      result.floats,
      operands[0].floats,
      x.height,
      x.width,
      x.channels,
      factor,
      scratch.floats,
    )
  }
}

extension SampleType {
  /// The C kernels' code for the type.
  var native: enginec_sample_type {
    switch self {
    case .float32: enginec_float32
    case .bfloat16: enginec_bfloat16
    }
  }
}

internal import EngineC

/// Which kernel runs an operation; those that move or mix samples are here.
extension Operation {
  func kernel(in graph: Graph, backend: some Backend) throws(EngineError) -> any Kernel {
    let x = graph.shape(of: operands[0])
    switch kind {
    case .convolution(let convolution, let scale):
      let residualScale = operands.count == 2 ? scale : nil
      return try backend.kernel(for: convolution, input: x, residualScale: residualScale)
    case .enlargedConvolution(let convolution):
      return try EnlargedConvolutionKernel(convolution, input: x, backend: backend)
    case .groupNorm(let norm): return norm.kernel(x)
    case .activation(let activation): return activation.kernel(x)
    case .windowAttention(let attention): return attention.kernel(x)
    case .attention: return AttentionKernel(x, backend: backend)
    case .quantization(let codebook): return codebook.kernel(x)
    case .mean(let factor):
      return PlainKernel { operands, result, _ in
        enginec_mean(result, operands[0], x.height, x.width, x.channels, factor)
      }
    case .weightedSum(let weights):
      return weightedSum(weights, count: x.count)
    case .parameterFreeAttention:
      return PlainKernel { operands, result, _ in
        enginec_parameter_free_attention(result, operands[0], operands[1], x.count)
      }
    case .concatenation:
      return concatenation(operands.map { graph.shape(of: $0) })
    case .pixelShuffle(let factor):
      return PlainKernel { operands, result, _ in
        enginec_pixel_shuffle(result, operands[0], x.height, x.width, x.channels, factor)
      }
    case .pixelUnshuffle(let factor):
      return PlainKernel { operands, result, _ in
        enginec_pixel_unshuffle(result, operands[0], x.height, x.width, x.channels, factor)
      }
    case .nearest(let factor):
      return PlainKernel { operands, result, _ in
        enginec_nearest(result, operands[0], x.height, x.width, x.channels, factor)
      }
    case .bicubic(let factor):
      return bicubic(x, factor: factor)
    }
  }
}

private func weightedSum(_ weights: [Float], count: Int) -> PlainKernel {
  PlainKernel { operands, result, _ in
    operands.withMemoryRebound(to: UnsafePointer<Float>?.self) { terms in
      enginec_weighted_sum(result, count, weights.count, terms.baseAddress, weights)
    }
  }
}

private func concatenation(_ parts: [Shape]) -> PlainKernel {
  let channels = parts.reduce(0) { $0 + $1.channels }
  return PlainKernel { operands, result, _ in
    var first = 0
    for (part, source) in zip(parts, operands) {
      enginec_place_channels(result, channels, first, source, part.pixelCount, part.channels)
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
      result,
      operands[0],
      x.height,
      x.width,
      x.channels,
      factor,
      scratch.assumingMemoryBound(to: Float.self)
    )
  }
}

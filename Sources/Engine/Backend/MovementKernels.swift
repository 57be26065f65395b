internal import EngineC

/// Kernels for the operations that move or mix samples and need no library.
extension Operation {
  func kernel(in graph: Graph, backend: some Backend) throws(EngineError) -> any Kernel {
    let x = graph.shape(of: operands[0])
    switch kind {
    case .convolution(let convolution):
      return try backend.kernel(for: convolution, input: x, hasResidual: operands.count == 2)
    case .weightedSum(let weights):
      return weightedSum(weights, count: x.count)
    case .parameterFreeAttention:
      return MovementKernel { operands, result, _ in
        enginec_parameter_free_attention(result, operands[0], operands[1], x.count)
      }
    case .concatenation:
      return concatenation(operands.map { graph.shape(of: $0) })
    case .pixelShuffle(let factor):
      return MovementKernel { operands, result, _ in
        enginec_pixel_shuffle(result, operands[0], x.height, x.width, x.channels, factor)
      }
    case .pixelUnshuffle(let factor):
      return MovementKernel { operands, result, _ in
        enginec_pixel_unshuffle(result, operands[0], x.height, x.width, x.channels, factor)
      }
    case .nearest(let factor):
      return MovementKernel { operands, result, _ in
        enginec_nearest(result, operands[0], x.height, x.width, x.channels, factor)
      }
    case .bicubic(let factor):
      return bicubic(x, factor: factor)
    }
  }
}

/// A kernel without state: the same function for every thread.
private struct MovementKernel: Kernel, KernelRunner {
  typealias Body =
    @Sendable (
      UnsafeBufferPointer<UnsafePointer<Float>>, UnsafeMutablePointer<Float>,
      UnsafeMutableRawPointer
    ) -> Void

  var scratchByteCount = 0
  let body: Body

  func makeRunner() -> any KernelRunner { self }

  func run(
    _ operands: UnsafeBufferPointer<UnsafePointer<Float>>,
    _ result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutableRawPointer,
  ) {
    body(operands, result, scratch)
  }
}

private func weightedSum(_ weights: [Float], count: Int) -> MovementKernel {
  MovementKernel { operands, result, _ in
    operands.withMemoryRebound(to: UnsafePointer<Float>?.self) { terms in
      enginec_weighted_sum(result, count, weights.count, terms.baseAddress, weights)
    }
  }
}

private func concatenation(_ parts: [Shape]) -> MovementKernel {
  let channels = parts.reduce(0) { $0 + $1.channels }
  return MovementKernel { operands, result, _ in
    var first = 0
    for (part, source) in zip(parts, operands) {
      enginec_place_channels(result, channels, first, source, part.pixelCount, part.channels)
      first += part.channels
    }
  }
}

private func bicubic(_ x: Shape, factor: Int) -> MovementKernel {
  let scratch = enginec_bicubic_scratch(x.width, x.channels, factor)
  return MovementKernel(scratchByteCount: scratch * MemoryLayout<Float>.size) {
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

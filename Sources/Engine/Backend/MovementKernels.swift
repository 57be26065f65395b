internal import EngineC

/// A kernel that gives pixels other places, or means of blocks of them.
func moving(
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

func parameterFreeAttention(count: Int) -> PlainKernel {
  PlainKernel { operands, result, _ in
    enginec_parameter_free_attention(
      result.floats,
      operands[0].floats,
      operands[1].floats,
      count,
    )
  }
}

func weightedSum(_ weights: [Float], count: Int) -> PlainKernel {
  PlainKernel { operands, result, _ in
    operands.withMemoryRebound(to: UnsafePointer<Float>?.self) { terms in
      enginec_weighted_sum(result.floats, count, weights.count, terms.baseAddress, weights)
    }
  }
}

func concatenation(_ concatenation: Concatenation, pixelCount: Int) -> PlainKernel {
  PlainKernel { operands, result, _ in
    for part in operands.indices {
      concatenation.place(part, operands[part], pixelCount: pixelCount, in: result)
    }
  }
}

func bicubic(_ x: Shape, factor: Int) -> PlainKernel {
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

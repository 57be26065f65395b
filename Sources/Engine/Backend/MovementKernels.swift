internal import EngineC

/// A kernel that brings blocks of pixels into channels, or takes their means.
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

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

func concatenation(_ parts: [(Shape, SampleType)], resultType: SampleType) -> PlainKernel {
  let channels = parts.reduce(0) { $0 + $1.0.channels }
  if case .uint8(let steps) = resultType {
    return concatenation(parts.map(\.0), storing: StepFactors(steps))
  }
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

private func concatenation(_ parts: [Shape], storing steps: StepFactors) -> PlainKernel {
  PlainKernel { operands, result, _ in
    steps.gains.withUnsafeBufferPointer { gains in
      steps.zeros.withUnsafeBufferPointer { zeros in
        var first = 0
        for (part, source) in zip(parts, operands) {
          enginec_place_steps(
            result.assumingMemoryBound(to: UInt8.self) + first,
            gains.count,
            source.floats,
            part.pixelCount,
            part.channels,
            gains.baseAddress.unsafelyUnwrapped + first,
            zeros.baseAddress.unsafelyUnwrapped + first,
          )
          first += part.channels
        }
      }
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

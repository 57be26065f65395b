internal import EngineC

extension GroupNorm {
  /// Two passes over the picture: one for means and variances, one that applies them.
  func kernel(_ x: Shape, resultType: SampleType) -> any Kernel {
    PlainKernel(scratchByteCount: enginec_group_norm_scratch_bytes(x.channels)) {
      operands,
      result,
      scratch in
      var shape = enginec_group_norm_shape(
        pixels: x.pixelCount,
        channels: x.channels,
        groups: groups,
        epsilon: epsilon,
        activation: activation.function.code,
        out_type: resultType.native,
      )
      enginec_group_norm(result, operands[0].floats, &shape, scale, shift, scratch)
    }
  }
}

extension Activation {
  /// A pass over the picture.
  func kernel(_ x: Shape) -> any Kernel {
    let finish = Finish(activation: self)
    return PlainKernel { operands, result, _ in
      result.floats.update(from: operands[0].floats, count: x.count)
      finish.apply(to: result.floats, pixelCount: x.pixelCount, channels: x.channels)
    }
  }
}

extension Codebook {
  /// A search through all codes for every pixel.
  func kernel(_ x: Shape) -> any Kernel {
    let planes = (0..<(count * channels)).map { codes[$0 % count * channels + $0 / count] }
    let scratchByteCount = enginec_quantize_scratch() * MemoryLayout<Float>.size
    return PlainKernel(scratchByteCount: scratchByteCount) { operands, result, scratch in
      let (out, x, pixels) = (result.floats, operands[0].floats, x.pixelCount)
      enginec_quantize(out, x, pixels, channels, codes, planes, count, scratch.floats)
    }
  }
}

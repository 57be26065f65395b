internal import EngineC

extension GroupNorm {
  /// Two passes over the picture: one for means and variances, one that applies them.
  func kernel(_ x: Shape) -> any Kernel {
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
      )
      enginec_group_norm(result, operands[0], &shape, scale, shift, scratch)
    }
  }
}

extension Activation {
  /// A pass over the picture.
  func kernel(_ x: Shape) -> any Kernel {
    let finish = Finish(activation: self)
    return PlainKernel { operands, result, _ in
      result.update(from: operands[0], count: x.count)
      finish.apply(to: result, pixelCount: x.pixelCount, channels: x.channels, residual: nil)
    }
  }
}

extension Codebook {
  /// A search through all codes for every pixel.
  func kernel(_ x: Shape) -> any Kernel {
    let planes = (0..<(count * channels)).map { codes[$0 % count * channels + $0 / count] }
    let scratchByteCount = enginec_quantize_scratch() * MemoryLayout<Float>.size
    return PlainKernel(scratchByteCount: scratchByteCount) { operands, result, scratch in
      let distances = scratch.assumingMemoryBound(to: Float.self)
      let pixels = x.pixelCount
      enginec_quantize(result, operands[0], pixels, channels, codes, planes, count, distances)
    }
  }
}

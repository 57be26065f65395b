internal import EngineC

/// What is done to a strip of a convolution's sums while they are still in the cache: bias, activation
/// and residual, in one pass.
struct Finish: Sendable {
  var bias: [Float]?
  var activation: Activation = .none
  var residualScale: Float?

  /// Whether there is nothing to do.
  var isEmpty: Bool { bias == nil && activation == .none && residualScale == nil }

  /// Finishes `pixelCount` pixels of sums where they are; `residual` points at the same pixels of the
  /// residual.
  func apply(
    to x: UnsafeMutablePointer<Float>,
    pixelCount: Int,
    channels: Int,
    residual: UnsafePointer<Float>? = nil,
  ) {
    let (code, alpha) = activation.function
    let scale = residualScale ?? 0
    withSlopes {
      enginec_finish(x, pixelCount, channels, bias, code, alpha, $0, residual, scale)
    }
  }

  /// Finishes `pixelCount` pixels of sums, which are overwritten, and rounds them to `out`.
  func apply(
    to sums: UnsafeMutablePointer<Float>,
    roundingTo out: UnsafeMutablePointer<UInt16>,
    pixelCount: Int,
    channels: Int,
    residual: UnsafePointer<Float>?,
  ) {
    let (code, alpha) = activation.function
    let scale = residualScale ?? 0
    withSlopes {
      enginec_finish_to_bfloat16(
        out,
        sums,
        pixelCount,
        channels,
        bias,
        code,
        alpha,
        $0,
        residual,
        scale,
      )
    }
  }

  /// Finishes `pixelCount` pixels of sums, which are overwritten, and stores them in steps.
  func apply(
    to sums: UnsafeMutablePointer<Float>,
    storing steps: StepFactors,
    in out: UnsafeMutablePointer<UInt8>,
    pixelCount: Int,
    channels: Int,
    residual: UnsafePointer<Float>?,
  ) {
    let (code, alpha) = activation.function
    let scale = residualScale ?? 0
    withSlopes {
      enginec_finish_to_uint8(
        out,
        sums,
        pixelCount,
        channels,
        bias,
        code,
        alpha,
        $0,
        residual,
        scale,
        steps.gains,
        steps.zeros,
      )
    }
  }

  /// Calls `body` with what finishes sums and writes them into the whole picture `result`.
  func withNative(
    _ result: UnsafeMutableRawPointer,
    of type: SampleType,
    channels: Int,
    residual: UnsafePointer<Float>?,
    _ body: (enginec_float_result) -> Void,
  ) {
    let (code, alpha) = activation.function
    (bias ?? []).withUnsafeBufferPointer { bias in
      withSlopes { slopes in
        let native = enginec_float_result(
          channels: channels,
          bias: self.bias == nil ? nil : bias.baseAddress,
          slopes: slopes,
          residual: residual,
          activation: code,
          alpha: alpha,
          residual_scale: residualScale ?? 0,
          out_type: type.native,
          out: result,
        )
        body(native)
      }
    }
  }

  private func withSlopes(_ body: (UnsafePointer<Float>?) -> Void) {
    guard case .prelu(let slopes) = activation else { return body(nil) }
    slopes.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}

/// Steps as the kernels take them: step = sample · gain + zero.
struct StepFactors: Sendable {
  let gains: [Float]
  let zeros: [Float]

  init(_ steps: Steps) {
    gains = steps.sizes.map { 1 / $0 }
    zeros = steps.zeros.map(Float.init)
  }
}

extension Activation {
  /// The C kernels' code for the function, and its parameter.
  var function: (code: enginec_activation, alpha: Float) {
    switch self {
    case .none: (enginec_activation_none, 0)
    case .relu: (enginec_activation_leaky_relu, 0)
    case .leakyReLU(let slope): (enginec_activation_leaky_relu, slope)
    case .prelu: (enginec_activation_prelu, 0)
    case .silu: (enginec_activation_silu, 0)
    case .gelu: (enginec_activation_gelu, 0)
    }
  }
}

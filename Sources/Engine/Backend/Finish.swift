internal import EngineC

/// What is done to a strip of a convolution's sums while they are still in the cache: bias, activation
/// and residual, in one pass.
struct Finish: Sendable {
  var bias: [Float]?
  var activation: Activation = .none
  var residualScale: Float?

  /// Whether there is nothing to do.
  var isEmpty: Bool { bias == nil && activation == .none && residualScale == nil }

  /// Finishes `pixelCount` pixels at `x`; `residual` points at the same pixels of the residual.
  func apply(
    to x: UnsafeMutablePointer<Float>,
    pixelCount: Int,
    channels: Int,
    residual: UnsafePointer<Float>?,
  ) {
    let function = activation.function
    let scale = residualScale ?? 0
    if case .prelu(let slopes) = activation {
      enginec_finish(x, pixelCount, channels, bias, function.code, 0, slopes, residual, scale)
    } else {
      let (code, alpha) = function
      enginec_finish(x, pixelCount, channels, bias, code, alpha, nil, residual, scale)
    }
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

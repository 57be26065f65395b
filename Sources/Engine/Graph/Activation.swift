/// The function applied to every sample of a convolution's result.
public enum Activation: Hashable, Sendable {
  /// The sample itself.
  case none

  /// `max(x, 0)`; PyTorch's `relu`.
  case relu

  /// `x` where positive, else `slope · x`; PyTorch's `leaky_relu`.
  case leakyReLU(slope: Float)

  /// As leaky ReLU, with one slope per channel; PyTorch's `prelu`.
  case prelu(slopes: [Float])

  /// `x · sigmoid(x)`; PyTorch's `silu`.
  case silu

  /// `x · (1 + erf(x / √2)) / 2`; PyTorch's `gelu` with its default, exact form.
  case gelu
}

/// One step of a graph: what is done, to which values, and the value that results.
public struct Operation: Sendable {
  /// What is done.
  public enum Kind: Sendable {
    /// Convolves the first operand; a second one is added to the activated result.
    case convolution(Convolution)

    /// Sums the operands, each times its weight.
    case weightedSum([Float])

    /// `(h + x) · (sigmoid(h) − ½)` of two operands, SPAN's attention without parameters.
    case parameterFreeAttention

    /// Joins the operands' channels in order.
    case concatenation

    /// PyTorch's `pixel_shuffle`.
    case pixelShuffle(factor: Int)

    /// PyTorch's `pixel_unshuffle`.
    case pixelUnshuffle(factor: Int)

    /// PyTorch's `interpolate(mode="nearest")` by an integer factor.
    case nearest(factor: Int)

    /// PyTorch's `interpolate(mode="bicubic", align_corners=False, antialias=False)` (a = −0.75).
    case bicubic(factor: Int)
  }

  /// What is done.
  public let kind: Kind

  /// The values read, in the order that ``kind`` describes.
  public let operands: [Graph.Value]

  /// The value written.
  public let result: Graph.Value
}

extension Operation.Kind {
  /// The operation's name in reports.
  public var name: String {
    switch self {
    case .convolution: "convolution"
    case .weightedSum: "sum"
    case .parameterFreeAttention: "parameter-free attention"
    case .concatenation: "concat"
    case .pixelShuffle: "pixel shuffle"
    case .pixelUnshuffle: "pixel unshuffle"
    case .nearest: "nearest"
    case .bicubic: "bicubic"
    }
  }
}

/// A convolution with stride 1 and zero padding that keeps the size, bias and activation fused.
public struct Convolution: Sendable {
  /// Samples per pixel read.
  public let inputChannels: Int

  /// Samples per pixel written.
  public let outputChannels: Int

  /// The side of the square kernel; odd.
  public let kernel: Int

  /// The weights in PyTorch's order: output channel, input channel, row, column.
  public let weights: [Float]

  /// One number per output channel, added before the activation.
  public let bias: [Float]

  /// The function applied to the sum.
  public let activation: Activation

  /// Creates a convolution from weights in PyTorch's order.
  public init(
    inputChannels: Int,
    outputChannels: Int,
    kernel: Int,
    weights: [Float],
    bias: [Float],
    activation: Activation = .none,
  ) {
    precondition(kernel % 2 == 1, "a kernel of odd size keeps the picture's size")
    precondition(weights.count == outputChannels * inputChannels * kernel * kernel)
    precondition(bias.count == outputChannels, "one bias per output channel")
    if case .prelu(let slopes) = activation { precondition(slopes.count == outputChannels) }
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.kernel = kernel
    self.weights = weights
    self.bias = bias
    self.activation = activation
  }

  /// Multiplications with addition per pixel.
  public var multiplyAddsPerPixel: Int { weights.count }
}

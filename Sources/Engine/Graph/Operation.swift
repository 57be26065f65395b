/// One step of a graph: what is done, to which values, and the value that results.
public struct Operation: Sendable {
  /// What is done.
  public enum Kind: Sendable {
    /// Convolves the first operand; a second one, times a factor, is added to the activated result.
    case convolution(Convolution, residualScale: Float)

    /// Convolves the operand enlarged twice by repeating pixels.
    case enlargedConvolution(Convolution)

    /// Brings groups of channels to mean 0 and variance 1.
    case groupNorm(GroupNorm)

    /// Applies a function to every sample.
    case activation(Activation)

    /// Attends inside windows; the operand holds queries, keys and values.
    case windowAttention(WindowAttention)

    /// Attends over all pixels; the operands are queries, keys and values.
    case attention

    /// Replaces every pixel by the nearest one of a codebook.
    case quantization(Codebook)

    /// PyTorch's `avg_pool2d` by an integer factor.
    case mean(factor: Int)

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

    /// Sums the operands, some of which are made `factor` times larger on the way.
    case sumOfEnlarged([SumTerm], factor: Int)

    /// Sums as many operands as there are terms, some of them made larger on the way, brings the sum's blocks into channels as
    /// `pixel_unshuffle` does, and joins them with the channels of the other operands.
    case concatenationAfterSum([SumTerm], factor: Int)

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
    case .convolution, .enlargedConvolution: "convolution"
    case .groupNorm: "group norm"
    case .activation: "activation"
    case .windowAttention: "window attention"
    case .attention: "attention"
    case .quantization: "quantization"
    case .mean: "mean"
    case .weightedSum, .sumOfEnlarged: "sum"
    case .parameterFreeAttention: "parameter-free attention"
    case .concatenation, .concatenationAfterSum: "concat"
    case .pixelShuffle: "pixel shuffle"
    case .pixelUnshuffle: "pixel unshuffle"
    case .nearest: "nearest"
    case .bicubic: "bicubic"
    }
  }
}

/// A convolution over a picture padded with zeros, bias and activation fused.
public struct Convolution: Sendable {
  /// Rows and columns of zeros around the picture: above and to the left, below and to the right.
  public struct Padding: Hashable, Sendable {
    /// Above and to the left.
    public var before: Int

    /// Below and to the right.
    public var after: Int
  }

  /// Samples per pixel read.
  public let inputChannels: Int

  /// Samples per pixel written.
  public let outputChannels: Int

  /// The side of the square kernel.
  public let kernel: Int

  /// How many pixels the kernel moves from one pixel of the result to the next.
  public let stride: Int

  /// The zeros around the picture.
  public let padding: Padding

  /// The weights in PyTorch's order: output channel, input channel, row, column.
  public let weights: Parameters

  /// One number per output channel, added before the activation.
  public let bias: [Float]

  /// The function applied to the sum.
  public let activation: Activation

  /// What is multiplied where the picture is stored in 8 bits; nil where it never is.
  public var integer: IntegerFactors?

  /// Creates a convolution from weights in PyTorch's order.
  ///
  /// Without a padding the kernel, of odd size, is centred on every pixel that it visits.
  public init(
    inputChannels: Int,
    outputChannels: Int,
    kernel: Int,
    stride: Int = 1,
    padding: Padding? = nil,
    weights: Parameters,
    bias: [Float],
    activation: Activation = .none,
  ) {
    precondition(padding != nil || kernel % 2 == 1, "a kernel of odd size has a centre")
    precondition(weights.count == outputChannels * inputChannels * kernel * kernel)
    precondition(bias.count == outputChannels, "one bias per output channel")
    if case .prelu(let slopes) = activation { precondition(slopes.count == outputChannels) }
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding ?? Padding(before: kernel / 2, after: kernel / 2)
    self.weights = weights
    self.bias = bias
    self.activation = activation
  }

  /// Multiplications with addition per pixel of the result.
  public var multiplyAddsPerPixel: Int { weights.count }

  /// The size of the result for a picture of a size.
  func output(for input: Shape) -> Shape {
    Shape(
      height: length(input.height),
      width: length(input.width),
      channels: outputChannels,
    )
  }

  private func length(_ length: Int) -> Int {
    (length + padding.before + padding.after - kernel) / stride + 1
  }
}

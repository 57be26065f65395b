/// A convolution in its place in a graph: what a backend makes a kernel from.
public struct ConvolutionStep: Sendable {
  /// What is computed.
  public var convolution: Convolution

  /// The size of the picture.
  public var input: Shape

  /// The rows of the result that a run computes, wherever they lie; nil for all.
  public var rows: Int?

  /// The factor of the residual that is added, if there is one.
  public var residualScale: Float?

  /// How the residual lies in memory: in single precision unless the picture is in 8 bits.
  public var residualType = SampleType.float32

  /// How the picture lies in memory.
  public var inputType = SampleType.float32

  /// How the result lies in memory.
  public var resultType = SampleType.float32
}

extension ConvolutionStep {
  /// The size of the result.
  var output: Shape { convolution.output(for: input) }

  /// The rows of the result that a run computes.
  var rowCount: Int { rows ?? output.height }

  /// The factors of a convolution whose picture lies in 8 bits.
  var integerFactors: IntegerFactors {
    guard let factors = convolution.integer else {
      preconditionFailure("a picture in 8 bits meets a convolution with such factors")
    }
    return factors
  }
}

extension Operation {
  /// A convolution that the operation consists of, in its place.
  func step(
    _ convolution: Convolution,
    in graph: Graph,
    types: [SampleType],
    rows: Int? = nil,
  ) -> ConvolutionStep {
    ConvolutionStep(
      convolution: convolution,
      input: graph.shape(of: operands[0]),
      rows: rows,
      residualScale: residualScale,
      residualType: operands.count == 2 ? types[operands[1].index] : .float32,
      inputType: types[operands[0].index],
      resultType: types[result.index],
    )
  }

  private var residualScale: Float? {
    guard operands.count == 2, case .convolution(_, let scale) = kind else { return nil }
    return scale
  }
}

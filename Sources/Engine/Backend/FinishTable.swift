/// The numbers per output channel by which sums of products become a result:
/// `activation(sum · scale + bias) · gain + offset + residual · residualScale`.
///
/// The gain of an activation of straight lines is 1: scale and bias hold it.
struct FinishTable: Sendable {
  private(set) var scales: [Float]
  private(set) var gains: [Float]
  private(set) var offsets: [Float]
  private(set) var residualScales: [Float]

  /// What negative numbers are multiplied by; of no meaning where the activation is no straight lines.
  let slopes: [Float]

  /// Prepares the numbers for a step whose sums are worth `scales`.
  init(_ step: ConvolutionStep, scales: [Float]) {
    let count = step.output.channels
    self.scales = scales
    gains = [Float](repeating: 1, count: count)
    offsets = [Float](repeating: 0, count: count)
    if case .uint8(let steps) = step.resultType {
      let stored = StepFactors(steps)
      (gains, offsets) = (stored.gains, stored.zeros)
    }
    residualScales = gains.map { $0 * (step.residualScale ?? 0) }
    if case .uint8(let steps) = step.residualType {
      for channel in 0..<count {
        residualScales[channel] *= steps.sizes[channel]
        offsets[channel] -= residualScales[channel] * Float(steps.zeros[channel])
      }
    }
    slopes = step.convolution.activation.slopes(channels: count)
  }

  /// Moves the gains into the scales and into biases, one or more rows of them, where they may stand
  /// before the activation.
  mutating func foldGains(of activation: Activation, into biases: inout [Float]) {
    guard activation.isOfStraightLines else { return }
    scales = zip(scales, gains).map(*)
    for index in biases.indices { biases[index] *= gains[index % gains.count] }
    gains = Array(repeating: 1, count: gains.count)
  }
}

extension Activation {
  /// Whether it is x for positive x and a multiple of x for others, so that a positive factor may be
  /// applied before as well as after.
  var isOfStraightLines: Bool {
    switch self {
    case .none, .relu, .leakyReLU, .prelu: true
    case .silu, .gelu: false
    }
  }

  fileprivate func slopes(channels: Int) -> [Float] {
    switch self {
    case .prelu(let slopes): slopes
    case .leakyReLU(let slope): Array(repeating: slope, count: channels)
    case .relu: Array(repeating: 0, count: channels)
    case .none, .silu, .gelu: Array(repeating: 1, count: channels)
    }
  }
}

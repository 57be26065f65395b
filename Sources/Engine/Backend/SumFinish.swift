internal import EngineC

/// What is done to a strip of exact sums while they are still in the cache: scale, bias, activation and
/// residual, and back to 8 bits where the result is stored so.
///
/// The picture's zero is a number of its own, and what lies around the picture is 0 for the library.
/// So the bias takes back what zeros inside the picture have added, and at the edges is another one.
struct SumFinish: Sendable {
  private let finish: enginec_sum_finish
  private let table: [Float]
  private let edges: enginec_edges
  private let biases: [Float]

  /// Prepares what follows the sums of a step.
  init(_ step: ConvolutionStep) {
    let factors = step.integerFactors
    let channels = step.output.channels
    let function = step.convolution.activation.function
    finish = enginec_sum_finish(
      channels: channels,
      activation: function.code,
      alpha: function.alpha,
      residual_type: step.residualType.native,
      out_type: step.resultType.native,
    )
    var gains = [Float](repeating: 1, count: channels)
    var offsets = [Float](repeating: 0, count: channels)
    if case .uint8(let steps) = step.resultType {
      let stored = StepFactors(steps)
      (gains, offsets) = (stored.gains, stored.zeros)
    }
    var residualScales = gains.map { $0 * (step.residualScale ?? 0) }
    if case .uint8(let steps) = step.residualType {
      for channel in 0..<channels {
        residualScales[channel] *= steps.sizes[channel]
        offsets[channel] -= residualScales[channel] * Float(steps.zeros[channel])
      }
    }
    var slopes = gains
    if case .prelu(let given) = step.convolution.activation { slopes = given }
    var scales = factors.scales
    var biases = step.convolution.biases(factors)
    if step.convolution.activation.isHomogeneous {
      scales = zip(scales, gains).map(*)
      for index in biases.indices { biases[index] *= gains[index % channels] }
      gains = Array(repeating: 1, count: channels)
    }
    // In the order of enginec_sum_scales and what follows it.
    table = scales + gains + offsets + residualScales + slopes
    edges = enginec_edges(step)
    self.biases = biases
  }

  /// Calls `body` with what finishes sums and writes them into the whole picture `result`.
  func withNative(
    _ result: UnsafeMutableRawPointer,
    residual: UnsafeRawPointer?,
    _ body: (enginec_sum_result) -> Void,
  ) {
    table.withUnsafeBufferPointer { table in
      biases.withUnsafeBufferPointer { biases in
        let native = enginec_sum_result(
          finish: finish,
          edges: edges,
          table: table.baseAddress,
          biases: biases.baseAddress,
          residual: residual,
          out: result,
        )
        body(native)
      }
    }
  }
}

extension Activation {
  /// Whether a positive factor may be applied before as well as after.
  fileprivate var isHomogeneous: Bool {
    switch self {
    case .none, .relu, .leakyReLU, .prelu: true
    case .silu, .gelu: false
    }
  }
}

extension enginec_edges {
  init(_ step: ConvolutionStep) {
    let convolution = step.convolution
    self.init(
      height: step.input.height,
      width: step.input.width,
      out_width: step.output.width,
      kernel: convolution.kernel,
      stride: convolution.stride,
      pad_before: convolution.padding.before,
      pad_after: convolution.padding.after,
    )
  }
}

extension Convolution {
  /// The bias for every way in which a kernel reaches beyond the picture, as `enginec_finish_sum_rows`
  /// takes them: without what the picture's zeros add to the sums.
  fileprivate func biases(_ factors: IntegerFactors) -> [Float] {
    let sides = (0...padding.before).flatMap { before in
      (0...padding.after).map { after in before..<max(before, kernel - after) }
    }
    let zeroSums = zeroSums(factors)
    return sides.flatMap { rows in
      sides.flatMap { columns in
        (0..<outputChannels).map { output in
          let sum = rows.reduce(0) { sum, row in
            columns.reduce(sum) { $0 + zeroSums[(output * kernel + row) * kernel + $1] }
          }
          return Float(Double(factors.bias[output]) - Double(factors.scales[output]) * Double(sum))
        }
      }
    }
  }

  /// What a picture of zeros adds to the sum of each output channel, at each place of the kernel.
  private func zeroSums(_ factors: IntegerFactors) -> [Int] {
    let area = kernel * kernel
    return (0..<(outputChannels * area)).map { index in
      let (output, place) = (index / area, index % area)
      return (0..<inputChannels).reduce(0) { sum, input in
        let weight = factors.weights[(output * inputChannels + input) * area + place]
        return sum + Int(weight) * Int(factors.input.zeros[input])
      }
    }
  }
}

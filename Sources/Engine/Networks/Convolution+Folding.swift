/// Sums and chains of convolutions as one, for networks that were trained with more layers than they need.
extension Convolution {
  /// The same convolution, followed by another function.
  func activated(_ activation: Activation) -> Convolution {
    Convolution(
      inputChannels: inputChannels,
      outputChannels: outputChannels,
      kernel: kernel,
      weights: weights,
      bias: bias,
      activation: activation,
    )
  }

  /// This convolution after a 1×1 one, whose bias must also be what lies around the picture.
  func following(_ first: Convolution) throws(EngineError) -> Convolution {
    precondition(first.kernel == 1 && first.outputChannels == inputChannels)
    let area = kernel * kernel
    let (own, others) = (try weights.values(), try first.weights.values())
    var weights = [Float](repeating: 0, count: outputChannels * first.inputChannels * area)
    var bias = bias
    for output in 0..<outputChannels {
      for middle in 0..<inputChannels {
        let kernel = own[((output * inputChannels + middle) * area)...].prefix(area)
        bias[output] += kernel.reduce(0, +) * first.bias[middle]
        for input in 0..<first.inputChannels {
          let factor = others[middle * first.inputChannels + input]
          let start = (output * first.inputChannels + input) * area
          for (position, weight) in kernel.enumerated() {
            weights[start + position] += factor * weight
          }
        }
      }
    }
    return replaced(inputs: first.inputChannels, weights: weights, bias: bias)
  }

  /// This convolution before a 1×1 one.
  func followed(by last: Convolution) throws(EngineError) -> Convolution {
    precondition(last.kernel == 1 && last.inputChannels == outputChannels)
    let count = inputChannels * kernel * kernel
    let (own, others) = (try weights.values(), try last.weights.values())
    var weights = [Float](repeating: 0, count: last.outputChannels * count)
    var bias = last.bias
    for output in 0..<last.outputChannels {
      for middle in 0..<outputChannels {
        let factor = others[output * outputChannels + middle]
        bias[output] += factor * self.bias[middle]
        for position in 0..<count {
          weights[output * count + position] += factor * own[middle * count + position]
        }
      }
    }
    return replaced(inputs: inputChannels, weights: weights, bias: bias)
  }

  /// This convolution plus a 1×1 one of the same picture.
  func adding(_ other: Convolution) throws(EngineError) -> Convolution {
    precondition(other.kernel == 1 && other.weights.count * kernel * kernel == weights.count)
    let area = kernel * kernel
    var weights = try weights.values()
    for (index, weight) in try other.weights.values().enumerated() {
      weights[index * area + area / 2] += weight
    }
    return replaced(inputs: inputChannels, weights: weights, bias: zip(bias, other.bias).map(+))
  }

  private func replaced(inputs: Int, weights: [Float], bias: [Float]) -> Convolution {
    Convolution(
      inputChannels: inputs,
      outputChannels: bias.count,
      kernel: kernel,
      weights: Parameters(weights),
      bias: bias,
    )
  }
}

extension [Convolution] {
  /// Whether each takes as many channels as the one before makes.
  var areConnected: Bool {
    zip(self, dropFirst()).allSatisfy { $0.outputChannels == $1.inputChannels }
  }
}

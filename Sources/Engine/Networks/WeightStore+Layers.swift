extension WeightStore {
  /// The convolution whose tensors are `NAME.weight` and, if there is one, `NAME.bias`; its sizes are
  /// those of the weights.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when a tensor is missing or is no convolution, or
  ///   when it does not take as many channels as `inputs`.
  func layer(
    _ name: String,
    inputs: Int? = nil,
    outputs: Int? = nil,
    activation: Activation = .none,
  ) throws(EngineError) -> Convolution {
    guard let sizes = dimensions("\(name).weight") else {
      throw failure("tensor '\(name).weight' is missing")
    }
    guard sizes.count == 4, sizes[2] == sizes[3], sizes[2] % 2 == 1, !sizes.contains(0) else {
      throw failure("tensor '\(name).weight' has the shape \(sizes), which is no convolution")
    }
    guard sizes[0] == outputs ?? sizes[0], sizes[1] == inputs ?? sizes[1] else {
      throw failure("tensor '\(name).weight' has the shape \(sizes), which does not fit its place")
    }
    var bias = [Float](repeating: 0, count: sizes[0])
    if contains("\(name).bias") {
      bias = try self.weights("\(name).bias", dimensions: [sizes[0]]).values
    }
    return Convolution(
      inputChannels: sizes[1],
      outputChannels: sizes[0],
      kernel: sizes[2],
      weights: Parameters(count: sizes.reduce(1, *)) { () throws(EngineError) in
        try weights("\(name).weight", dimensions: sizes).values
      },
      bias: bias,
      activation: activation,
    )
  }

  /// How many names there are that `name` makes of 0, 1, 2 and so on without a gap.
  func count(_ name: (Int) -> String) -> Int {
    var count = 0
    while contains(name(count)) { count += 1 }
    return count
  }
}

/// The side of the blocks that `pixel_unshuffle` makes this many channels of from RGB; nil when none does.
func rgbBlockSide(channels: Int) -> Int? { (1...8).first { 3 * $0 * $0 == channels } }

extension Convolution {
  /// A 1×1 convolution that gives each channel a factor and an offset, as in `factor · x + offset`.
  ///
  /// Networks that were trained on 0…1 begin with one: it cannot be part of their first layer, because the
  /// zeros around the picture belong to their range.
  init(factor: Float, offsets: [Float]) {
    let count = offsets.count
    self.init(
      inputChannels: count,
      outputChannels: count,
      kernel: 1,
      weights: Parameters((0..<(count * count)).map { $0 % (count + 1) == 0 ? factor : 0 }),
      bias: offsets,
    )
  }
}

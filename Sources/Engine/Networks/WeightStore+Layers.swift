extension WeightStore {
  /// The convolution whose tensors are `NAME.weight` and, if there is one, `NAME.bias`; its sizes are
  /// those of the weights.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when a tensor is missing or is no convolution, or
  ///   when it does not take as many channels as `inputs` or make as many as `outputs`.
  func layer(
    _ name: String,
    inputs: Int? = nil,
    outputs: Int? = nil,
  ) throws(EngineError) -> Convolution {
    try Layers(self)[name].convolution(from: inputs, to: outputs, form: .odd)
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

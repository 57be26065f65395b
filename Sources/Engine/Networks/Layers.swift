/// The tensors of a file below one name, read as layers.
///
/// Sizes come from the tensors' shapes; what cannot be chained is the file's error. Small tensors are
/// read at once, the weights of convolutions when a kernel is made from them.
struct Layers: Sendable {
  private let store: WeightStore
  private let prefix: String

  init(_ store: WeightStore, prefix: String = "") {
    self.store = store
    self.prefix = prefix
  }

  /// The tensors below `name`.
  subscript(_ name: String) -> Layers { Layers(store, prefix: "\(prefix)\(name).") }

  /// Whether there is a tensor of this name.
  func has(_ name: String) -> Bool { store.contains(prefix + name) }

  /// The layers `NAME0`, `NAME1`, … as long as they have a tensor called `tensor`.
  func sequence(_ name: String, having tensor: String) -> [Layers] {
    (0...).lazy.map { self["\(name)\($0)"] }.prefix { $0.has(tensor) }.map(\.self)
  }

  /// The dimensions of a tensor that must be there.
  func dimensions(_ name: String) throws(EngineError) -> [Int] {
    guard let dimensions = store.dimensions(prefix + name) else {
      throw store.failure("tensor '\(prefix)\(name)' is missing")
    }
    return dimensions
  }

  /// The samples of a tensor.
  func values(_ name: String, dimensions: [Int]) throws(EngineError) -> [Float] {
    try store.weights(prefix + name, dimensions: dimensions).values
  }

  /// An error about these tensors.
  func failure(_ reason: String) -> EngineError {
    store.failure("layer '\(prefix.dropLast())' \(reason)")
  }
}

extension Layers {
  /// What a file may have where a network has a convolution.
  enum Form {
    /// A linear layer, as a kernel of 1 × 1, or a kernel of 1 × 1 or 3 × 3; always with a bias.
    case linearOrSmall

    /// A kernel of any odd side, with a bias or without.
    case odd
  }

  /// A convolution that reads `inputs` channels and makes `outputs`, or as many as the file says, by a
  /// kernel of a side, or of the one that the file says.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when a tensor is missing or does not fit.
  func convolution(
    from inputs: Int? = nil,
    to outputs: Int? = nil,
    side: Int? = nil,
    form: Form = .linearOrSmall,
    stride: Int = 1,
    padding: Convolution.Padding? = nil,
    activation: Activation = .none,
    embedding: [Float]? = nil,
  ) throws(EngineError) -> Convolution {
    let dimensions = try dimensions("weight")
    let kernel = try kernel(dimensions, form)
    if let inputs, dimensions[1] != inputs {
      throw failure("has the shape \(dimensions), but \(inputs) channels come in")
    }
    if let outputs, dimensions[0] != outputs {
      throw failure("has the shape \(dimensions), but \(outputs) channels should come out")
    }
    guard side == nil || side == kernel else {
      throw failure("has a kernel of \(kernel)×\(kernel), not 3×3")
    }
    return Convolution(
      inputChannels: dimensions[1],
      outputChannels: dimensions[0],
      kernel: kernel,
      stride: stride,
      padding: padding,
      weights: weights(dimensions),
      bias: try bias(dimensions[0], form, embedding),
      activation: activation,
    )
  }

  private func kernel(_ dimensions: [Int], _ form: Form) throws(EngineError) -> Int {
    let side = dimensions.count == 4 ? dimensions[3] : 1
    let isSquare = dimensions.count == 4 && dimensions[2] == side
    let fits =
      switch form {
      case .linearOrSmall: (isSquare || dimensions.count == 2) && (side == 1 || side == 3)
      case .odd: isSquare && side % 2 == 1
      }
    guard fits, !dimensions.contains(0) else {
      let reason = form == .odd ? "no convolution" : "neither linear nor a convolution"
      throw failure("has the shape \(dimensions): \(reason)")
    }
    return side
  }

  private func bias(
    _ count: Int,
    _ form: Form,
    _ embedding: [Float]?,
  ) throws(EngineError) -> [Float] {
    guard form == .linearOrSmall || has("bias") else { return Array(repeating: 0, count: count) }
    let bias = try values("bias", dimensions: [count])
    guard let embedding else { return bias }
    guard embedding.count == count else {
      throw failure("has \(count) channels, but its embedding \(embedding.count)")
    }
    return zip(bias, embedding).map(+)
  }

  /// A group norm of `channels`; `modulation` holds factors and terms that follow it.
  func groupNorm(
    _ channels: Int,
    groups: Int = 32,
    epsilon: Float,
    activation: Activation = .none,
    modulation: (scale: [Float], shift: [Float])? = nil,
  ) throws(EngineError) -> GroupNorm {
    guard groups > 0, channels % groups == 0 else {
      throw failure("has \(channels) channels, which do not make \(groups) groups")
    }
    var scale = try values("weight", dimensions: [channels])
    var shift = try values("bias", dimensions: [channels])
    if let modulation {
      scale = zip(scale, modulation.scale).map { $0 * (1 + $1) }
      shift = zip(shift, zip(modulation.scale, modulation.shift)).map { $0 * (1 + $1.0) + $1.1 }
    }
    return GroupNorm(
      groups: groups,
      epsilon: epsilon,
      scale: scale,
      shift: shift,
      activation: activation,
    )
  }

  /// A linear layer applied to a vector here and now.
  func linear(_ x: [Float], to outputs: Int? = nil) throws(EngineError) -> [Float] {
    let found = try dimensions("weight").first
    let rows = outputs ?? found ?? 0
    let weights = try values("weight", dimensions: [rows, x.count])
    let bias = try values("bias", dimensions: [rows])
    return bias.indices.map { row in
      x.indices.reduce(bias[row]) { $0 + weights[row * x.count + $1] * x[$1] }
    }
  }

  private func weights(_ dimensions: [Int]) -> Parameters {
    Parameters(count: dimensions.reduce(1, *)) { () throws(EngineError) in
      try values("weight", dimensions: dimensions)
    }
  }
}

extension Convolution {
  /// The same convolution with a result that is `factor` times as large, and moved by an offset.
  func scaled(by factor: Float, plus offset: Float = 0) -> Convolution {
    precondition(activation == .none, "only a linear layer can be scaled")
    return Convolution(
      inputChannels: inputChannels,
      outputChannels: outputChannels,
      kernel: kernel,
      stride: stride,
      padding: padding,
      weights: weights.map { $0.map { $0 * factor } },
      bias: bias.map { $0 * factor + offset },
    )
  }
}

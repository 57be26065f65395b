/// A network whose convolutions have factors of 8 bits beside their weights.
struct QuantizedNetwork: Network {
  let base: any Network

  /// The factors of each convolution that has some, by its number among the graph's convolutions.
  let factors: [Int: IntegerFactors]

  var scale: Int { base.scale }
  var tileRule: TileRule { base.tileRule }

  func graph(height: Int, width: Int) -> Graph {
    var graph = base.graph(height: height, width: width)
    graph.quantize(factors)
    return graph
  }
}

extension Graph {
  /// The convolutions in order, each with its picture; others that an operation consists of are not
  /// counted.
  var numberedConvolutions: [(convolution: Convolution, picture: Value)] {
    operations.compactMap { operation in
      guard case .convolution(let convolution, _) = operation.kind else { return nil }
      return (convolution, operation.operands[0])
    }
  }
}

/// The tensors of a model file that hold factors, all of one dimension: `int8.N.weight` (I8, in the
/// order of the convolution's weight), `int8.N.scale` and `int8.N.bias` (F32, per output channel),
/// `int8.N.step` (F32) and `int8.N.zero` (U8, per input channel) for the N-th convolution of the graph,
/// counted from 0.
enum IntegerTensors {
  static let prefix = "int8."

  static func name(_ number: Int, _ part: String) -> String { "\(prefix)\(number).\(part)" }

  /// The tensors of all factors, floats first, so that their data is aligned.
  static func tensors(of factors: [Int: IntegerFactors]) -> [AddedTensor] {
    let tensors = factors.sorted { $0.key < $1.key }.flatMap { number, factors in
      [
        AddedTensor(name(number, "weight"), .int8, factors.weights.map { UInt8(bitPattern: $0) }),
        AddedTensor(name(number, "scale"), factors.scales),
        AddedTensor(name(number, "bias"), factors.bias),
        AddedTensor(name(number, "step"), factors.input.sizes),
        AddedTensor(name(number, "zero"), .uint8, factors.input.zeros),
      ]
    }
    return tensors.filter { $0.type == .float32 } + tensors.filter { $0.type != .float32 }
  }
}

extension WeightStore {
  /// The network with the factors that the file holds, or as it is where there are none.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when they do not fit the network.
  func quantized(_ network: any Network) throws(EngineError) -> any Network {
    guard names.contains(where: { $0.hasPrefix(IntegerTensors.prefix) }) else { return network }
    // The convolutions are the same at any size.
    let convolutions = network.graph(height: 64, width: 64).numberedConvolutions.map(\.convolution)
    var factors: [Int: IntegerFactors] = [:]
    for (number, convolution) in convolutions.enumerated() {
      guard contains(IntegerTensors.name(number, "weight")) else { continue }
      factors[number] = try integerFactors(number, of: convolution)
    }
    return QuantizedNetwork(base: network, factors: factors)
  }

  private func integerFactors(
    _ number: Int,
    of convolution: Convolution,
  ) throws(EngineError) -> IntegerFactors {
    let (inputs, outputs) = (convolution.inputChannels, convolution.outputChannels)
    func floats(_ part: String, count: Int) throws(EngineError) -> [Float] {
      try weights(IntegerTensors.name(number, part), dimensions: [count]).values
    }
    let sizes = try floats("step", count: inputs)
    guard sizes.allSatisfy({ $0 > 0 }) else {
      throw failure("tensor '\(IntegerTensors.name(number, "step"))' holds a step without a size")
    }
    let weight = IntegerTensors.name(number, "weight")
    let count = outputs * inputs * convolution.kernel * convolution.kernel
    let factors = IntegerFactors(
      input: Steps(
        sizes: sizes,
        zeros: try bytes(IntegerTensors.name(number, "zero"), .uint8, count: inputs),
      ),
      weights: try bytes(weight, .int8, count: count).map { Int8(bitPattern: $0) },
      scales: try floats("scale", count: outputs),
      bias: try floats("bias", count: outputs),
    )
    guard factors.isExact(inputChannels: inputs) else {
      throw failure("tensor '\(weight)' has pairs of weights that are too large for exact sums")
    }
    return factors
  }

  private func bytes(
    _ name: String,
    _ type: ElementType,
    count: Int,
  ) throws(EngineError) -> [UInt8] {
    guard let tensor = tensor(name) else { throw failure("tensor '\(name)' is missing") }
    guard tensor.type == type, tensor.count == count else {
      throw failure("tensor '\(name)' is not \(count) elements of \(type.rawValue)")
    }
    return try bytes(of: tensor)
  }
}

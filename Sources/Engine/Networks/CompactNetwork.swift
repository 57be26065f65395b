internal import Glibc

/// The compact one-step network: a trunk of 3×3 convolutions at the low resolution that turns bicubic
/// plus noise into the picture in one evaluation of the consistency function.
///
/// ```
/// x   = bicubic + σ · noise
/// u   = concat(pixel_unshuffle(x), lr)
/// h   = prelu₀(head(u) + e₀);  g = h
/// for i in 0 ..< body:
///     h = prelu(bodyᵢ(h) + eᵢ₊₁)
///     every few layers:  h = h + g;  g = h
/// F   = pixel_shuffle(tail(h))
/// out = c_skip · x + c_out · (F + bicubic)
/// ```
///
/// The noise level is fixed, so the time embedding `e` is constant and is part of the biases. All sizes
/// come from the file.
public struct CompactNetwork: Network {
  /// How many times larger the output is.
  public let scale: Int

  private let sigma: Float
  private let preconditioning: Preconditioning
  private let residualEvery: Int
  private let head: Convolution
  private let body: [Convolution]
  private let tail: Convolution

  /// Reads the network from a file whose metadata says `network: compact`.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when tensors are missing or do not fit together.
  public init(_ store: WeightStore) throws(EngineError) {
    let scale = try store.number("scale", in: 1...8)
    let bodyCount = try store.number("body", in: 1...256)
    let features = try store.number("features", in: 1...1024)
    sigma = try store.positiveFloat("sigma")
    residualEvery = try store.number("residual_every", in: 1...256)
    preconditioning = Preconditioning(
      sigma: sigma,
      sigmaData: try store.positiveFloat("sigma_data"),
    )
    let embedding = try LayerEmbedding(store, layers: bodyCount + 1, features: features)
      .biases(noise: preconditioning.noise)
    let unshuffled = 3 * scale * scale

    head = try store.convolution(
      "head",
      from: unshuffled + 3,
      to: features,
      embedding: embedding[0],
      prelu: "act.0"
    )
    body = try (0..<bodyCount).map { (i) throws(EngineError) in
      try store.convolution(
        "body.\(i)",
        from: features,
        to: features,
        embedding: embedding[i + 1],
        prelu: "act.\(i + 1)"
      )
    }
    tail = try store.convolution("tail", from: features, to: unshuffled)
    self.scale = scale
  }

  /// The network for a picture of this size; inputs are the picture and noise.
  public func graph(height: Int, width: Int) -> Graph {
    var graph = Graph()
    let lowResolution = graph.input(Shape(height: height, width: width, channels: 3))
    let noise = graph.input(Shape(height: height * scale, width: width * scale, channels: 3))

    let bicubic = graph.bicubic(lowResolution, factor: scale)
    let x = graph.weightedSum([(1, bicubic), (sigma, noise)])
    let unshuffled = graph.pixelUnshuffle(x, factor: scale)

    var h = graph.convolution(graph.concatenation([unshuffled, lowResolution]), head)
    var g = h
    for (i, layer) in body.enumerated() {
      let endsGroup = i % residualEvery == residualEvery - 1
      h = graph.convolution(h, layer, addTo: endsGroup ? g : nil)
      if endsGroup { g = h }
    }
    let f = graph.pixelShuffle(graph.convolution(h, tail), factor: scale)
    graph.output = graph.weightedSum([
      (preconditioning.skip, x), (preconditioning.out, f), (preconditioning.out, bicubic),
    ])
    return graph
  }
}

/// What the network is told about the noise level: one vector of features per layer.
///
/// `a_k = 8 c · 100^(−k / (K − 1))`, `v = [cos a, sin a]`, then two linear layers with SiLU between.
private struct LayerEmbedding {
  let first: WeightStore.Weights
  let firstBias: [Float]
  let second: WeightStore.Weights
  let secondBias: [Float]
  let features: Int

  init(_ store: WeightStore, layers: Int, features: Int) throws(EngineError) {
    first = try store.weights("emb.0.weight")
    guard first.dimensions.count == 2, first.dimensions[1] % 2 == 0, first.dimensions[1] >= 4 else {
      throw store.failure("tensor 'emb.0.weight' is no linear layer over cosines and sines")
    }
    let hidden = first.dimensions[0]
    firstBias = try store.weights("emb.0.bias", dimensions: [hidden]).values
    second = try store.weights("emb.2.weight", dimensions: [layers * features, hidden])
    secondBias = try store.weights("emb.2.bias", dimensions: [layers * features]).values
    self.features = features
  }

  /// One bias vector per layer, the head's first.
  func biases(noise c: Float) -> [[Float]] {
    let count = first.dimensions[1] / 2
    let angles = (0..<count).map { 8 * c * powf(100, -Float($0) / Float(count - 1)) }
    let v = angles.map { cosf($0) } + angles.map { sinf($0) }
    let hidden = linear(first, firstBias, v).map { $0 / (1 + expf(-$0)) }
    let all = linear(second, secondBias, hidden)
    return stride(from: 0, to: all.count, by: features).map { Array(all[$0..<($0 + features)]) }
  }

  private func linear(_ w: WeightStore.Weights, _ bias: [Float], _ x: [Float]) -> [Float] {
    bias.indices.map { row in
      x.indices.reduce(bias[row]) { $0 + w.values[row * x.count + $1] * x[$1] }
    }
  }
}

extension WeightStore {
  /// A 3×3 convolution named `NAME.weight` and `NAME.bias`, its bias moved by a constant embedding.
  fileprivate func convolution(
    _ name: String,
    from inputChannels: Int,
    to outputChannels: Int,
    embedding: [Float]? = nil,
    prelu: String? = nil,
  ) throws(EngineError) -> Convolution {
    let bias = try weights("\(name).bias", dimensions: [outputChannels]).values
    var activation = Activation.none
    if let prelu {
      activation = .prelu(
        slopes: try weights("\(prelu).weight", dimensions: [outputChannels]).values
      )
    }
    return Convolution(
      inputChannels: inputChannels,
      outputChannels: outputChannels,
      kernel: 3,
      weights: Parameters(
        try weights("\(name).weight", dimensions: [outputChannels, inputChannels, 3, 3]).values
      ),
      bias: embedding.map { zip(bias, $0).map(+) } ?? bias,
      activation: activation,
    )
  }
}

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
    let layers = Layers(store)
    let embedding = try layers["emb"]
      .noiseEmbedding(preconditioning.noise, layers: bodyCount + 1, features: features)
    let unshuffled = 3 * scale * scale

    func layer(_ name: String, _ index: Int, from inputs: Int) throws(EngineError) -> Convolution {
      let slopes = try layers["act.\(index)"].values("weight", dimensions: [features])
      return try layers[name].convolution(
        from: inputs,
        to: features,
        side: 3,
        activation: .prelu(slopes: slopes),
        embedding: embedding[index],
      )
    }
    head = try layer("head", 0, from: unshuffled + 3)
    body = try (0..<bodyCount).map { (i) throws(EngineError) in
      try layer("body.\(i)", i + 1, from: features)
    }
    tail = try layers["tail"].convolution(from: features, to: unshuffled, side: 3)
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
    // With bicubic and noise in place of x, which need not be kept then.
    graph.output = graph.weightedSum([
      (preconditioning.skip + preconditioning.out, bicubic), (preconditioning.skip * sigma, noise),
      (preconditioning.out, f),
    ])
    return graph
  }
}

extension Layers {
  /// What the network is told about the noise level: one vector of features per layer, the head's first.
  ///
  /// `a_k = 8 c · 100^(−k / (K − 1))`, `v = [cos a, sin a]`, then two linear layers with SiLU between.
  fileprivate func noiseEmbedding(
    _ c: Float,
    layers: Int,
    features: Int,
  ) throws(EngineError) -> [[Float]] {
    let dimensions = try dimensions("0.weight")
    guard dimensions.count == 2, dimensions[0] > 0, dimensions[1] % 2 == 0, dimensions[1] >= 4
    else {
      throw failure("has no linear layer '0' over cosines and sines")
    }
    let count = dimensions[1] / 2
    let angles = TimeEmbedding.angles(8 * c, count: count, divisor: count - 1, base: 100)
    let waves = TimeEmbedding.cosines(angles) + TimeEmbedding.sines(angles)
    let hidden = TimeEmbedding.silu(try self["0"].linear(waves))
    let all = try self["2"].linear(hidden, to: layers * features)
    return stride(from: 0, to: all.count, by: features).map { Array(all[$0..<($0 + features)]) }
  }
}

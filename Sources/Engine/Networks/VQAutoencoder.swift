/// The autoencoder of latent diffusion with a codebook, VQGAN (Esser et al., 2021): pictures to latents a
/// few times smaller on each side, and back.
///
/// ```
/// encoder: conv_in, levels of residual blocks each but the last ending in a halving,
///          middle, conv_out(swish(norm_out)), quant_conv
/// decoder: nearest code, post_quant_conv, conv_in, middle,
///          levels of residual blocks each but the last ending in a doubling, conv_out(swish(norm_out))
/// middle:  residual block, attention over all pixels, residual block
/// ```
///
/// All sizes come from the names and shapes of the tensors.
struct VQAutoencoder: Sendable {
  /// Samples per pixel of a latent.
  let latentChannels: Int

  /// How many times smaller latents are on each side.
  var factor: Int { 1 << (encoder.count { if case .resampling = $0 { true } else { false } }) }

  private static let factors = 2...8

  private let encoder: [Layer]
  private let codebook: Codebook
  private let decoder: [Layer]

  /// One layer of the encoder or decoder.
  private enum Layer: Sendable {
    case convolution(Convolution)
    case norm(GroupNorm)
    case residual(ResidualBlock)
    case attention(AttentionBlock)
    case resampling(Convolution, doubles: Bool)
  }

  /// Whether a file holds this network.
  static func recognizes(_ store: WeightStore) -> Bool {
    store.contains("encoder.conv_in.weight") && store.contains("quantize.embedding.weight")
  }

  /// Reads the network.
  init(_ store: WeightStore) throws(EngineError) {
    let layers = Layers(store)
    codebook = try layers["quantize.embedding"].codebook()
    latentChannels = codebook.channels
    var reader = Reader(channels: 3)
    encoder = try reader.encoder(layers, latentChannels: codebook.channels)
    reader = Reader(channels: codebook.channels)
    decoder = try reader.decoder(layers)
    let doublings = decoder.count { if case .resampling = $0 { true } else { false } }
    guard Self.factors.contains(factor) else {
      throw layers["encoder"].failure("shrinks \(factor) times; 2 to 8 times are known here")
    }
    guard 1 << doublings == factor else {
      throw layers["decoder"].failure("enlarges by another factor than the encoder shrinks")
    }
  }

  /// The latent of a picture.
  func encode(_ picture: Graph.Value, in graph: inout Graph) -> Graph.Value {
    encoder.reduce(picture) { apply($1, to: $0, in: &graph) }
  }

  /// The picture of a latent, which is quantised first.
  func decode(_ latent: Graph.Value, in graph: inout Graph) -> Graph.Value {
    decoder.reduce(graph.quantization(latent, codebook)) { apply($1, to: $0, in: &graph) }
  }

  private func apply(_ layer: Layer, to h: Graph.Value, in graph: inout Graph) -> Graph.Value {
    switch layer {
    case .convolution(let layer): graph.convolution(h, layer)
    case .norm(let norm): graph.groupNorm(h, norm)
    case .residual(let block): block.apply(to: h, in: &graph)
    case .attention(let block): block.apply(to: h, in: &graph)
    case .resampling(let layer, let doubles):
      doubles ? graph.enlargedConvolution(h, layer) : graph.convolution(h, layer)
    }
  }
}

extension VQAutoencoder {
  /// Reads layers in order and knows what comes out of the last one.
  private struct Reader {
    var channels: Int

    mutating func encoder(
      _ all: Layers,
      latentChannels: Int,
    ) throws(EngineError) -> [Layer] {
      let layers = all["encoder"]
      var result = [try convolution(layers["conv_in"])]
      for level in layers.sequence("down.", having: "block.0.norm1.weight") {
        result += try blocks(level)
        guard level.has("downsample.conv.weight") else { continue }
        // One row and one column of zeros, below and to the right only.
        let halving = try level["downsample.conv"].convolution(
          from: channels,
          to: channels,
          side: 3,
          stride: 2,
          padding: .init(before: 0, after: 1),
        )
        result.append(.resampling(halving, doubles: false))
      }
      result += try middle(layers["mid"]) + ending(layers)
      return try result + [convolution(all["quant_conv"], to: latentChannels)]
    }

    mutating func decoder(_ all: Layers) throws(EngineError) -> [Layer] {
      let layers = all["decoder"]
      var result = [try convolution(all["post_quant_conv"]), try convolution(layers["conv_in"])]
      result += try middle(layers["mid"])
      for level in layers.sequence("up.", having: "block.0.norm1.weight").reversed() {
        result += try blocks(level)
        guard level.has("upsample.conv.weight") else { continue }
        let doubling = try level["upsample.conv"].convolution(from: channels, to: channels, side: 3)
        result.append(.resampling(doubling, doubles: true))
      }
      return try result + ending(layers, to: 3)
    }

    private mutating func convolution(
      _ layers: Layers,
      to outputs: Int? = nil,
    ) throws(EngineError) -> Layer {
      let convolution = try layers.convolution(from: channels, to: outputs)
      channels = convolution.outputChannels
      return .convolution(convolution)
    }

    private mutating func blocks(_ level: Layers) throws(EngineError) -> [Layer] {
      var result: [Layer] = []
      for (index, block) in level.sequence("block.", having: "norm1.weight").enumerated() {
        result.append(try residual(block))
        let attention = level["attn.\(index)"]
        guard attention.has("norm.weight") else { continue }
        result.append(.attention(try AttentionBlock(attention, channels: channels)))
      }
      return result
    }

    private mutating func middle(_ layers: Layers) throws(EngineError) -> [Layer] {
      let first = try residual(layers["block_1"])
      let attention = try AttentionBlock(layers["attn_1"], channels: channels)
      return [first, .attention(attention), try residual(layers["block_2"])]
    }

    private mutating func ending(
      _ layers: Layers,
      to outputs: Int? = nil,
    ) throws(EngineError) -> [Layer] {
      let norm = try layers["norm_out"].vqNorm(channels, activation: .silu)
      return [.norm(norm), try convolution(layers["conv_out"], to: outputs)]
    }

    private mutating func residual(_ layers: Layers) throws(EngineError) -> Layer {
      let block = try ResidualBlock(layers, from: channels)
      channels = block.outputChannels
      return .residual(block)
    }
  }

  /// Two convolutions after their norms: `h = shortcut(h) + conv₂(swish(norm₂(conv₁(swish(norm₁(h))))))`.
  private struct ResidualBlock: Sendable {
    let norm1: GroupNorm
    let convolution1: Convolution
    let norm2: GroupNorm
    let convolution2: Convolution
    let shortcut: Convolution?

    var outputChannels: Int { convolution2.outputChannels }

    init(_ layers: Layers, from channels: Int) throws(EngineError) {
      norm1 = try layers["norm1"].vqNorm(channels, activation: .silu)
      convolution1 = try layers["conv1"].convolution(from: channels)
      let width = convolution1.outputChannels
      norm2 = try layers["norm2"].vqNorm(width, activation: .silu)
      convolution2 = try layers["conv2"].convolution(from: width, to: width)
      shortcut =
        layers.has("nin_shortcut.weight")
        ? try layers["nin_shortcut"].convolution(from: channels, to: width) : nil
      guard shortcut != nil || width == channels else {
        throw layers.failure("lacks 'nin_shortcut.weight'")
      }
    }

    func apply(to h: Graph.Value, in graph: inout Graph) -> Graph.Value {
      let r = graph.convolution(graph.groupNorm(h, norm1), convolution1)
      let kept = shortcut.map { graph.convolution(h, $0) } ?? h
      return graph.convolution(graph.groupNorm(r, norm2), convolution2, addTo: kept)
    }
  }

  /// Attention after a norm `n` of `h`: `h = h + proj_out(attention(q(n), k(n), v(n)))`.
  private struct AttentionBlock: Sendable {
    let norm: GroupNorm
    let queries: Convolution
    let keys: Convolution
    let values: Convolution
    let projection: Convolution

    init(_ layers: Layers, channels: Int) throws(EngineError) {
      norm = try layers["norm"].vqNorm(channels)
      queries = try layers["q"].convolution(from: channels, to: channels)
      keys = try layers["k"].convolution(from: channels, to: channels)
      values = try layers["v"].convolution(from: channels, to: channels)
      projection = try layers["proj_out"].convolution(from: channels, to: channels)
    }

    func apply(to h: Graph.Value, in graph: inout Graph) -> Graph.Value {
      let normal = graph.groupNorm(h, norm)
      let mixed = graph.attention(
        queries: graph.convolution(normal, queries),
        keys: graph.convolution(normal, keys),
        values: graph.convolution(normal, values),
      )
      return graph.convolution(mixed, projection, addTo: h)
    }
  }
}

extension Layers {
  fileprivate func codebook() throws(EngineError) -> Codebook {
    let dimensions = try dimensions("weight")
    guard dimensions.count == 2, dimensions[0] > 0, dimensions[1] > 0 else {
      throw failure("has the shape \(dimensions), which is no codebook")
    }
    let codes = try values("weight", dimensions: dimensions)
    return Codebook(count: dimensions[0], channels: dimensions[1], codes: codes)
  }

  fileprivate func vqNorm(
    _ channels: Int,
    activation: Activation = .none,
  ) throws(EngineError) -> GroupNorm {
    try groupNorm(channels, epsilon: 1e-6, activation: activation)
  }
}

/// The U-Net of ResShift, which TAD-SR shares: it turns a noisy latent beside the low-resolution picture
/// into the clean latent.
///
/// ```
/// h = input blocks(concat(latent, lr)), the result of every block kept
/// h = middle block(h)
/// h = output blocks(h), every one fed with the last result kept
/// h = out(silu(norm(h)))
/// ```
///
/// All sizes come from the names and shapes of the tensors; the time step is fixed.
struct ResShiftUNet: Sendable {
  private let inputs: [[Layer]]
  private let middle: [Layer]
  private let outputs: [[Layer]]
  private let norm: GroupNorm
  private let last: Convolution

  /// One layer of a block.
  private enum Layer: Sendable {
    case convolution(Convolution)
    case residual(ResidualBlock)
    case transformer(Transformer)
    case doubling(Convolution)
  }

  /// Whether a file holds this network.
  static func recognizes(_ store: WeightStore) -> Bool {
    store.contains("time_embed.0.weight") && store.contains("input_blocks.0.0.weight")
  }

  /// Reads the network for one time step; latents have `latentChannels`.
  init(_ store: WeightStore, time: Float, latentChannels: Int) throws(EngineError) {
    let layers = Layers(store)
    let embedding = try layers["time_embed"].timeEmbedding(time)
    var reader = Reader(embedding: embedding, channels: latentChannels + 3)
    var kept: [(channels: Int, level: Int)] = []
    inputs = try layers.blocks("input_blocks.").map { (block) throws(EngineError) in
      defer { kept.append((reader.channels, reader.level)) }
      return try reader.read(block)
    }
    middle = try reader.read(layers["middle_block"])
    outputs = try layers.blocks("output_blocks.").map { (block) throws(EngineError) in
      guard let skip = kept.popLast() else { throw block.failure("has no input block") }
      guard skip.level == reader.level else {
        throw block.failure("has another resolution than the input block that it is fed with")
      }
      reader.channels += skip.channels
      return try reader.read(block)
    }
    guard kept.isEmpty else { throw layers["output_blocks"].failure("are too few") }
    guard reader.level == 0 else { throw layers["output_blocks"].failure("end at low resolution") }
    norm = try layers["out.0"].groupNorm(reader.channels, epsilon: 1e-5, activation: .silu)
    last = try layers["out.2"].convolution(from: reader.channels, to: latentChannels)
  }

  func apply(
    to latent: Graph.Value,
    beside picture: Graph.Value,
    in graph: inout Graph,
  ) -> Graph.Value {
    var h = graph.concatenation([latent, picture])
    var kept: [Graph.Value] = []
    for block in inputs {
      h = apply(block, to: h, in: &graph)
      kept.append(h)
    }
    h = apply(middle, to: h, in: &graph)
    for block in outputs {
      h = apply(block, to: graph.concatenation([h, kept.removeLast()]), in: &graph)
    }
    return graph.convolution(graph.groupNorm(h, norm), last)
  }

  private func apply(
    _ block: [Layer],
    to h: Graph.Value,
    in graph: inout Graph,
  ) -> Graph.Value {
    block.reduce(h) { h, layer in
      switch layer {
      case .convolution(let layer): graph.convolution(h, layer)
      case .residual(let block): block.apply(to: h, in: &graph)
      case .transformer(let transformer): transformer.apply(to: h, in: &graph)
      case .doubling(let layer): graph.enlargedConvolution(h, layer)
      }
    }
  }
}

extension ResShiftUNet {
  /// Reads blocks in order and knows what comes out of the last one.
  private struct Reader {
    let embedding: [Float]
    var channels: Int
    var level = 0

    mutating func read(_ block: Layers) throws(EngineError) -> [Layer] {
      var layers: [Layer] = []
      while let layer = try layer(block["\(layers.count)"]) { layers.append(layer) }
      guard !layers.isEmpty else { throw block.failure("has no layer that is known here") }
      return layers
    }

    private mutating func layer(_ layers: Layers) throws(EngineError) -> Layer? {
      if layers.has("weight") {
        return .convolution(follow(try layers.convolution(from: channels)))
      }
      if layers.has("in_layers.0.weight") {
        let block = try ResidualBlock(layers, from: channels, embedding: embedding)
        channels = block.outputChannels
        return .residual(block)
      }
      if layers.has("patch_embed.proj.weight") {
        return .transformer(try Transformer(layers, channels: channels, level: level))
      }
      if layers.has("op.weight") {
        try move(to: level + 1, layers)
        let halving = try layers["op"].convolution(from: channels, side: 3, stride: 2)
        return .convolution(follow(halving))
      }
      if layers.has("conv.weight") {
        try move(to: level - 1, layers)
        return .doubling(follow(try layers["conv"].convolution(from: channels, side: 3)))
      }
      return nil
    }

    private mutating func move(to level: Int, _ layers: Layers) throws(EngineError) {
      guard (0..<SwinBlock.levelLimit).contains(level) else {
        throw layers.failure("leaves the \(SwinBlock.levelLimit) levels that are known here")
      }
      self.level = level
    }

    private mutating func follow(_ convolution: Convolution) -> Convolution {
      channels = convolution.outputChannels
      return convolution
    }
  }

  /// Two convolutions, the second after a norm that the time scales and shifts.
  ///
  /// ```
  /// r = conv(silu(norm(h)));  s, b = linear(silu(time))
  /// h = skip(h) + conv(silu(norm(r) · (1 + s) + b))
  /// ```
  private struct ResidualBlock: Sendable {
    let norm1: GroupNorm
    let convolution1: Convolution
    let norm2: GroupNorm
    let convolution2: Convolution
    let skip: Convolution?

    var outputChannels: Int { convolution2.outputChannels }

    init(_ layers: Layers, from channels: Int, embedding: [Float]) throws(EngineError) {
      norm1 = try layers["in_layers.0"].groupNorm(channels, epsilon: 1e-5, activation: .silu)
      convolution1 = try layers["in_layers.2"].convolution(from: channels)
      let width = convolution1.outputChannels
      let modulation = try layers["emb_layers.1"].linear(embedding, to: 2 * width)
      norm2 = try layers["out_layers.0"].groupNorm(
        width,
        epsilon: 1e-5,
        activation: .silu,
        modulation: (Array(modulation[..<width]), Array(modulation[width...])),
      )
      convolution2 = try layers["out_layers.3"].convolution(from: width, to: width)
      skip =
        layers.has("skip_connection.weight")
        ? try layers["skip_connection"].convolution(from: channels, to: width) : nil
      guard skip != nil || width == channels else {
        throw layers.failure("lacks 'skip_connection.weight'")
      }
    }

    func apply(to h: Graph.Value, in graph: inout Graph) -> Graph.Value {
      let r = graph.convolution(graph.groupNorm(h, norm1), convolution1)
      let kept = skip.map { graph.convolution(h, $0) } ?? h
      return graph.convolution(graph.groupNorm(r, norm2), convolution2, addTo: kept)
    }
  }

  /// Transformer blocks between 1×1 convolutions, without a residual around them.
  private struct Transformer: Sendable {
    let embedding: Convolution
    let blocks: [SwinBlock]
    let unembedding: Convolution

    // The networks are built for latents of 64 × 64. Every second block has shifted windows, except
    // where that leaves a single window.
    private static let builtSide = 64

    init(_ layers: Layers, channels: Int, level: Int) throws(EngineError) {
      let canShift = Self.builtSide >> level > SwinBlock.window
      let embedding = try layers["patch_embed.proj"].convolution(from: channels)
      let width = embedding.outputChannels
      blocks = try layers.sequence("blocks.", having: "norm1.weight").enumerated()
        .map { (index, block) throws(EngineError) in
          let isShifted = canShift && index % 2 == 1
          return try SwinBlock(block, channels: width, isShifted: isShifted)
        }
      unembedding = try layers["patch_unembed.proj"].convolution(from: width, to: channels)
      self.embedding = embedding
    }

    func apply(to h: Graph.Value, in graph: inout Graph) -> Graph.Value {
      let tokens = graph.convolution(h, embedding)
      let mixed = blocks.reduce(tokens) { $1.apply(to: $0, in: &graph) }
      return graph.convolution(mixed, unembedding)
    }
  }
}

extension Layers {
  /// The blocks `NAME0`, `NAME1`, …, whatever their first layer is.
  fileprivate func blocks(_ name: String) -> [Layers] {
    let firstTensors = ["0.weight", "0.in_layers.0.weight", "0.op.weight"]
    return (0...).lazy.map { self["\(name)\($0)"] }
      .prefix { block in firstTensors.contains { block.has($0) } }
      .map(\.self)
  }

  /// SiLU of what every residual block is told about the time.
  fileprivate func timeEmbedding(_ time: Float) throws(EngineError) -> [Float] {
    let dimensions = try dimensions("0.weight")
    guard dimensions.count == 2, dimensions[0] > 0, dimensions[1] >= 2, dimensions[1] % 2 == 0
    else {
      throw failure("is no linear layer over cosines and sines")
    }
    let count = dimensions[1] / 2
    let angles = TimeEmbedding.angles(time, count: count, divisor: count)
    let waves = TimeEmbedding.cosines(angles) + TimeEmbedding.sines(angles)
    let hidden = TimeEmbedding.silu(try self["0"].linear(waves))
    return TimeEmbedding.silu(try self["2"].linear(hidden))
  }
}

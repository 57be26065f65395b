internal import Glibc

/// A residual block of CTMSR's U-Net, with or without a change of resolution and a transformer.
///
/// ```
/// r = conv₀(resample(silu(norm₀(h)))) + affine(noise level)
/// r = conv₁(silu(norm₁(r)))
/// h = (r + skip(resample(h))) / √2
/// h = (h + conv(unembed(swin(embed(h))))) / √2
/// ```
struct CTMSRBlock: Sendable {
  enum Resampling { case none, halving, doubling }

  private let resampling: Resampling
  private let norm0: GroupNorm
  private let convolution0: Convolution
  private let norm1: GroupNorm
  private let convolution1: Convolution
  private let skip: Convolution?
  private let transformer: Transformer?

  // Everything that is added in pairs is divided by this.
  private static let half = Float(0.5).squareRoot()

  /// Samples per pixel written.
  var outputChannels: Int { convolution1.outputChannels }

  init(
    _ layers: Layers,
    from channels: Int,
    embedding: [Float],
    resampling: Resampling,
  ) throws(EngineError) {
    self.resampling = resampling
    let affine = try layers["affine"].linear(embedding)
    norm0 = try layers["norm0"].unetNorm(channels)
    convolution0 = try layers["conv0"].convolution(
      from: channels,
      side: resampling == .doubling ? 3 : nil,
      embedding: affine,
    )
    let width = convolution0.outputChannels
    norm1 = try layers["norm1"].unetNorm(width)
    convolution1 = try layers["conv1"].convolution(from: width, to: width).scaled(by: Self.half)
    skip =
      layers.has("skip.weight")
      ? try layers["skip"].convolution(from: channels, to: width) : nil
    guard skip != nil || width == channels else { throw layers.failure("lacks 'skip.weight'") }
    transformer =
      layers.has("swin_layer.conv.weight")
      ? try Transformer(layers["swin_layer"], channels: width, scale: Self.half) : nil
  }

  func apply(to h: Graph.Value, in graph: inout Graph) -> Graph.Value {
    let r = graph.groupNorm(first(graph.groupNorm(h, norm0), in: &graph), norm1)
    let sum = graph.convolution(
      r,
      convolution1,
      addTo: kept(h, in: &graph),
      scaledBy: Self.half,
    )
    return transformer?.apply(to: sum, in: &graph) ?? sum
  }

  private func first(_ normal: Graph.Value, in graph: inout Graph) -> Graph.Value {
    switch resampling {
    case .none: graph.convolution(normal, convolution0)
    case .halving: graph.convolution(graph.mean(normal, factor: 2), convolution0)
    case .doubling: graph.enlargedConvolution(normal, convolution0)
    }
  }

  // A 1×1 convolution and a repetition of pixels may change places; the order here takes less.
  private func kept(_ h: Graph.Value, in graph: inout Graph) -> Graph.Value {
    let small = resampling == .halving ? graph.mean(h, factor: 2) : h
    let kept = skip.map { graph.convolution(small, $0) } ?? small
    return resampling == .doubling ? graph.nearest(kept, factor: 2) : kept
  }
}

extension CTMSRBlock {
  /// One transformer block between 1×1 convolutions, a 3×3 convolution and a residual.
  private struct Transformer: Sendable {
    let embedding: Convolution
    let block: SwinBlock
    let unembedding: Convolution
    let convolution: Convolution
    let scale: Float

    init(_ layers: Layers, channels: Int, scale: Float) throws(EngineError) {
      embedding = try layers["patch_embed.proj"].convolution(from: channels)
      let width = embedding.outputChannels
      block = try SwinBlock(layers["blocks.0"], channels: width, isShifted: false)
      unembedding = try layers["patch_unembed.proj"].convolution(from: width, to: channels)
      convolution = try layers["conv"].convolution(from: channels, to: channels).scaled(by: scale)
      self.scale = scale
    }

    func apply(to h: Graph.Value, in graph: inout Graph) -> Graph.Value {
      let tokens = block.apply(to: graph.convolution(h, embedding), in: &graph)
      let change = graph.convolution(tokens, unembedding)
      return graph.convolution(change, convolution, addTo: h, scaledBy: scale)
    }
  }
}

extension Layers {
  /// The U-Net's group norm with SiLU: at least four channels in a group.
  func unetNorm(_ channels: Int) throws(EngineError) -> GroupNorm {
    try groupNorm(channels, groups: min(32, channels / 4), epsilon: 1e-6, activation: .silu)
  }
}

/// CTMSR, "Consistency Trajectory Matching for One-Step Generative Super-Resolution" (2025): a U-Net over
/// low-resolution pixels that turns bicubic plus noise into the picture in one evaluation.
///
/// ```
/// x   = bicubic + noise                                   σ = 1
/// h   = concat(pixel_unshuffle(x), lr)
/// h   = encoder(h), the result of every module kept
/// h   = decoder(h), every block fed with the last result kept
/// a   = aux_conv(silu(aux_norm(h)))
/// a   = lrelu(conv_up1(2 × a));  a = lrelu(conv_up2(2 × a));  F = conv_last(a)
/// out = c_skip · x + c_out · F
/// ```
///
/// All sizes come from the names and shapes of the tensors.
public struct CTMSR: Network {
  /// Four, by two doublings.
  public let scale = 4

  /// The picture is padded to whole windows at the lowest resolution, then cut.
  public let tileRule = TileRule.overlap(alignment: 64, padsPicture: true)

  private let preconditioning = Preconditioning(sigma: 1)
  private let stem: (name: String, layer: Convolution)
  private let encoder: [Module]
  private let decoder: [Module]
  private let auxiliaryNorm: GroupNorm
  private let auxiliary: Convolution
  private let enlarging: [Convolution]
  private let last: Convolution

  /// A block of the U-Net under its name in the file.
  private struct Module: Sendable {
    let name: String
    let block: CTMSRBlock
    let takesSkip: Bool
  }

  /// Whether a file holds this network.
  static func recognizes(_ store: WeightStore) -> Bool {
    Layers(store, prefix: prefix(in: store)).has("map_layer0.weight")
  }

  /// Reads the network.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when tensors are missing or do not fit together.
  public init(_ store: WeightStore) throws(EngineError) {
    let layers = Layers(store, prefix: CTMSR.prefix(in: store))
    var reader = try Reader(layers, noise: preconditioning.noise)
    stem = try reader.stem(from: 3 * scale * scale + 3)
    encoder = try reader.encoder()
    decoder = try reader.decoder()

    let tail = "dec.\(reader.side)x\(reader.side)_aux"
    auxiliaryNorm = try layers["\(tail)_norm"].unetNorm(reader.channels)
    auxiliary = try layers["\(tail)_conv"].convolution(from: reader.channels)
    let first = try layers["conv_up1"]
      .convolution(from: auxiliary.outputChannels, side: 3, activation: .leakyReLU(slope: 0.2))
    let second = try layers["conv_up2"]
      .convolution(from: first.outputChannels, side: 3, activation: .leakyReLU(slope: 0.2))
    enlarging = [first, second]
    last = try layers["conv_last"].convolution(from: second.outputChannels, to: 3)
      .scaled(by: preconditioning.out)
  }

  /// The network for a picture of this size; inputs are the picture and noise of the output's size.
  public func graph(height: Int, width: Int) -> Graph {
    var graph = Graph()
    let lowResolution = graph.input(Shape(height: height, width: width, channels: 3))
    let noise = graph.input(Shape(height: height * scale, width: width * scale, channels: 3))

    let bicubic = graph.bicubic(lowResolution, factor: scale)
    let x = graph.weightedSum([(1, bicubic), (1, noise)])
    let unshuffled = graph.pixelUnshuffle(x, factor: scale)

    var h = graph.convolution(graph.concatenation([unshuffled, lowResolution]), stem.layer)
    graph.named[stem.name] = h
    var kept = [h]
    for module in encoder {
      h = module.block.apply(to: h, in: &graph)
      graph.named[module.name] = h
      kept.append(h)
    }
    for module in decoder {
      if module.takesSkip { h = graph.concatenation([h, kept.removeLast()]) }
      h = module.block.apply(to: h, in: &graph)
      graph.named[module.name] = h
    }
    var a = graph.convolution(graph.groupNorm(h, auxiliaryNorm), auxiliary)
    for layer in enlarging { a = graph.enlargedConvolution(a, layer) }
    graph.output = graph.convolution(a, last, addTo: x, scaledBy: preconditioning.skip)
    return graph
  }

  private static func prefix(in store: WeightStore) -> String {
    store.contains("model.map_layer0.weight") ? "model." : ""
  }
}

extension CTMSR {
  /// Reads the modules in order and knows what comes out of the last one, and which results are kept.
  private struct Reader {
    /// The side in the names of the first level.
    let side: Int

    private(set) var channels = 0

    private let layers: Layers
    private let embedding: [Float]
    private let sides: [Int]
    private var kept: [(channels: Int, side: Int)] = []

    init(_ layers: Layers, noise: Float) throws(EngineError) {
      self.layers = layers
      embedding = try layers.noiseEmbedding(noise)
      side = try layers.side()
      sides = layers.sides(from: side)
      guard sides.count <= SwinBlock.levelLimit else {
        throw layers["enc"].failure("has more than \(SwinBlock.levelLimit) levels")
      }
    }

    mutating func stem(from inputs: Int) throws(EngineError) -> (name: String, layer: Convolution) {
      let name = "enc.\(side)x\(side)_conv"
      let layer = try layers[name].convolution(from: inputs)
      channels = layer.outputChannels
      kept.append((channels, side))
      return (name, layer)
    }

    /// Every result is kept.
    mutating func encoder() throws(EngineError) -> [Module] {
      var modules: [Module] = []
      for level in sides {
        let name = "enc.\(level)x\(level)"
        if level != side {
          modules.append(try module("\(name)_down", .halving))
          kept.append((channels, level))
        }
        for index in blocks(name) {
          modules.append(try module("\(name)_block\(index)"))
          kept.append((channels, level))
        }
      }
      return modules
    }

    /// Every block takes the last result kept.
    mutating func decoder() throws(EngineError) -> [Module] {
      var modules: [Module] = []
      for level in sides.reversed() {
        let name = "dec.\(level)x\(level)"
        if level == sides.last {
          modules += [try module("\(name)_in0"), try module("\(name)_in1")]
        } else {
          modules.append(try module("\(name)_up", .doubling))
        }
        for index in blocks(name) {
          let skip = try skip(to: level, layers[name])
          modules.append(try module("\(name)_block\(index)", skip: skip))
        }
      }
      guard kept.isEmpty else { throw layers["dec"].failure("has too few blocks") }
      return modules
    }

    private func blocks(_ name: String) -> Range<Int> {
      layers.sequence("\(name)_block", having: "norm0.weight").indices
    }

    /// The channels of the last result kept.
    private mutating func skip(to level: Int, _ layers: Layers) throws(EngineError) -> Int {
      guard let skip = kept.popLast() else { throw layers.failure("has too many blocks") }
      guard skip.side == level else {
        throw layers.failure("has a block that belongs to another resolution")
      }
      return skip.channels
    }

    private mutating func module(
      _ name: String,
      _ resampling: CTMSRBlock.Resampling = .none,
      skip: Int? = nil,
    ) throws(EngineError) -> Module {
      let block = try CTMSRBlock(
        layers[name],
        from: channels + (skip ?? 0),
        embedding: embedding,
        resampling: resampling,
      )
      channels = block.outputChannels
      return Module(name: name, block: block, takesSkip: skip != nil)
    }
  }
}

extension Layers {
  /// The side in the names of the first level, 64 in the published file.
  fileprivate func side() throws(EngineError) -> Int {
    guard let side = (1...4096).first(where: { has("enc.\($0)x\($0)_conv.weight") }) else {
      throw failure("lacks the first convolution, as in 'enc.64x64_conv.weight'")
    }
    return side
  }

  /// The levels of the U-Net by the names they have in the file: 64, 32, 16, 8.
  fileprivate func sides(from side: Int) -> [Int] {
    var sides = [side]
    while let half = sides.last.map({ $0 / 2 }), half > 0,
      has("enc.\(half)x\(half)_down.norm0.weight")
    {
      sides.append(half)
    }
    return sides
  }

  /// What every block is told about the noise level.
  fileprivate func noiseEmbedding(_ noise: Float) throws(EngineError) -> [Float] {
    let dimensions = try dimensions("map_layer0.weight")
    guard dimensions.count == 2, dimensions[0] > 0, dimensions[1] >= 4, dimensions[1] % 2 == 0
    else {
      throw failure("has no linear layer 'map_layer0' over sines and cosines")
    }
    let count = dimensions[1] / 2
    let angles = TimeEmbedding.angles(noise, count: count, divisor: count - 1)
    let waves = TimeEmbedding.sines(angles) + TimeEmbedding.cosines(angles)
    let hidden = TimeEmbedding.silu(try self["map_layer0"].linear(waves))
    return TimeEmbedding.silu(try self["map_layer1"].linear(hidden))
  }
}

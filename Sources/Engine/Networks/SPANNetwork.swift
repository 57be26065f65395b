/// SPAN, the Swift Parameter-free Attention Network (Wan et al., 2023): six blocks at the low resolution,
/// each of which weighs its own result.
///
/// ```
/// f   = conv_1((x − mean) · 255)
/// h   = block₁ … block₆(f)
/// out = pixel_shuffle(upsampler(conv_cat(f, conv_2(h), block₁, first layer of block₆)))
/// ```
///
/// Convolutions that have the branches of training are folded into one of 3×3. Features and scale come
/// from the tensors.
struct SPANNetwork: Network {
  let scale: Int

  private let range: Convolution
  private let first: Convolution
  private let blocks: [[Convolution]]
  private let second: Convolution
  private let join: Convolution
  private let tail: Convolution

  static func recognizes(_ store: WeightStore) -> Bool {
    let names = ["conv_1.eval_conv", "block_6.c3_r.eval_conv", "conv_cat", "upsampler.0"]
    return store.containsAll(names.map { $0 + ".weight" })
  }

  init(_ store: WeightStore) throws(EngineError) {
    first = try store.foldedLayer("conv_1", inputs: 3)
    let features = first.outputChannels
    blocks = try (1...6).map { (i) throws(EngineError) in
      try (1...3).map { (j) throws(EngineError) in
        let name = "block_\(i).c\(j)_r"
        let layer = try store.foldedLayer(name, inputs: features, outputs: features)
        return j == 3 ? layer : layer.activated(.silu)
      }
    }
    second = try store.foldedLayer("conv_2", inputs: features, outputs: features)
    join = try store.layer("conv_cat", inputs: 4 * features, outputs: features)
    tail = try store.layer("upsampler.0", inputs: features)
    guard let scale = rgbBlockSide(channels: tail.outputChannels) else {
      throw store.failure("its last layer makes \(tail.outputChannels) channels, which is no scale")
    }
    self.scale = scale
    range = SPANNetwork.range(isNormalized: !store.contains("no_norm"))
  }

  // The mean colour of DIV2K and 8-bit samples, unless the file says that it was trained without.
  private static func range(isNormalized: Bool) -> Convolution {
    guard isNormalized else { return Convolution(factor: 0.5, offsets: [0.5, 0.5, 0.5]) }
    let means: [Float] = [0.4488, 0.4371, 0.4040]
    return Convolution(factor: 127.5, offsets: means.map { 255 * (0.5 - $0) })
  }

  func graph(height: Int, width: Int) -> Graph {
    var graph = Graph()
    let x = graph.input(Shape(height: height, width: width, channels: 3))
    let start = graph.convolution(graph.convolution(x, range), first)
    var h = start
    var results: [(block: Graph.Value, first: Graph.Value)] = []
    for layers in blocks {
      let first = graph.convolution(h, layers[0])
      let third = graph.convolution(graph.convolution(first, layers[1]), layers[2])
      h = graph.parameterFreeAttention(third, h)
      results.append((h, first))
    }
    let end = graph.convolution(h, second)
    let all = graph.concatenation([start, end, results[0].block, results[5].first])
    // Back from 0…1 to −1…1.
    let joined = graph.convolution(graph.convolution(all, join), tail.scaled(by: 2, plus: -1))
    graph.output = graph.pixelShuffle(joined, factor: scale)
    return graph
  }
}

extension WeightStore {
  /// A convolution of 3×3, folded from its branches where the file has them.
  ///
  /// `sk + conv.2 ∘ conv.1 ∘ conv.0` with kernels 1×1 and 1×1, 3×3, 1×1 is linear. `eval_conv` is what the
  /// authors' code computes from the branches, and may be out of date.
  fileprivate func foldedLayer(
    _ name: String,
    inputs: Int,
    outputs: Int? = nil,
  ) throws(EngineError) -> Convolution {
    guard contains("\(name).sk.weight") else {
      return try layer("\(name).eval_conv", inputs: inputs, outputs: outputs)
    }
    let skip = try layer("\(name).sk", inputs: inputs, outputs: outputs)
    let before = try layer("\(name).conv.0", inputs: inputs)
    let middle = try layer("\(name).conv.1", inputs: before.outputChannels)
    let after = try layer(
      "\(name).conv.2",
      inputs: middle.outputChannels,
      outputs: skip.outputChannels
    )
    guard [skip.kernel, before.kernel, middle.kernel, after.kernel] == [1, 1, 3, 1] else {
      throw failure("the branches of '\(name)' are not those of SPAN")
    }
    return try middle.following(before).followed(by: after).adding(skip)
  }
}

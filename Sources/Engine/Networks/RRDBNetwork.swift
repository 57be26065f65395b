/// ESRGAN's network, `RRDBNet`, which Real-ESRGAN uses too: residual dense blocks at the low resolution,
/// then enlargements by two.
///
/// ```
/// h   = first(pixel_unshuffle(x))
/// h   = h + trunk(blocks(h))
/// for each enlargement:
///     h = lrelu(up(nearest₂(h)))
/// out = last(lrelu(hr(h)))
/// ```
///
/// A block is three dense ones and a residual. Features, growth, blocks and scale come from the tensors; a
/// first layer of 12 or 48 channels means that the input is unshuffled by 2 or 4, as for ×2 and ×1.
struct RRDBNetwork: Network {
  let scale: Int

  private let unshuffle: Int
  private let first: Convolution
  private let blocks: [[DenseBlock]]
  private let trunk: Convolution
  private let enlargements: [Convolution]
  private let high: Convolution
  private let last: Convolution

  // From −1…1 to 0…1.
  private let range = Convolution(factor: 0.5, offsets: [0.5, 0.5, 0.5])

  private static let activation = Activation.leakyReLU(slope: 0.2)

  static func recognizes(_ store: WeightStore) -> Bool { Names(of: store) != nil }

  init(_ store: WeightStore) throws(EngineError) {
    let names = Names(of: store) ?? .current
    let activation = RRDBNetwork.activation
    first = try store.layer(names.first)
    let features = first.outputChannels
    let blockCount = store.count { names.layer($0, dense: 1, layer: 1) + ".weight" }
    blocks = try (0..<blockCount).map { (i) throws(EngineError) in
      try (1...3).map { (j) throws(EngineError) in
        try DenseBlock(store, features: features) { names.layer(i, dense: j, layer: $0) }
      }
    }
    trunk = try store.layer(names.trunk(blockCount), inputs: features, outputs: features)
    let upCount = store.count { names.enlargement($0) + ".weight" }
    enlargements = try (0..<upCount).map { (i) throws(EngineError) in
      try store.layer(names.enlargement(i), inputs: features, outputs: features)
        .activated(activation)
    }
    high = try store.layer(names.high(upCount), inputs: features, outputs: features)
      .activated(activation)
    last = try store.layer(names.last(upCount), inputs: features, outputs: 3)
    guard let unshuffle = rgbBlockSide(channels: first.inputChannels),
      upCount <= 3, (1 << upCount) % unshuffle == 0
    else {
      throw store.failure("its first layer takes \(first.inputChannels) channels, which is no RGB")
    }
    self.unshuffle = unshuffle
    scale = (1 << upCount) / unshuffle
  }

  // The published networks look 350 pixels far; their authors cut with 10.
  var tileRule: TileRule { .halo(alignment: unshuffle, limit: 48) }

  func graph(height: Int, width: Int) -> Graph {
    var graph = Graph()
    let x = graph.input(Shape(height: height, width: width, channels: 3))
    var start = graph.convolution(x, range)
    if unshuffle > 1 { start = graph.pixelUnshuffle(start, factor: unshuffle) }
    start = graph.convolution(start, first)
    var h = start
    for block in blocks {
      let entry = h
      for dense in block { h = dense.apply(to: h, in: &graph) }
      h = graph.weightedSum([(0.2, h), (1, entry)])
    }
    h = graph.convolution(h, trunk, addTo: start)
    for layer in enlargements { h = graph.convolution(graph.nearest(h, factor: 2), layer) }
    // Back from 0…1 to −1…1.
    graph.output = graph.convolution(graph.convolution(h, high), last.scaled(by: 2, plus: -1))
    return graph
  }
}

/// Five convolutions, each of which sees the results of all before; the last one's is added to the input.
private struct DenseBlock {
  private let layers: [Convolution]

  init(
    _ store: WeightStore,
    features: Int,
    name: (Int) -> String,
  ) throws(EngineError) {
    let growth = try store.layer(name(1)).outputChannels
    layers = try (0..<5).map { (i) throws(EngineError) in
      let layer = try store.layer(
        name(i + 1),
        inputs: features + i * growth,
        outputs: i == 4 ? features : growth,
      )
      return i == 4 ? layer.scaled(by: 0.2) : layer.activated(.leakyReLU(slope: 0.2))
    }
  }

  func apply(to x: Graph.Value, in graph: inout Graph) -> Graph.Value {
    var seen = [x]
    for layer in layers.dropLast() { seen.append(graph.convolution(graph.joined(seen), layer)) }
    return graph.convolution(graph.joined(seen), layers[4], addTo: x)
  }
}

extension Graph {
  fileprivate mutating func joined(_ values: [Value]) -> Value {
    values.count == 1 ? values[0] : concatenation(values)
  }
}

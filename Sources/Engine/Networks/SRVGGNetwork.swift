/// Real-ESRGAN's compact network, `SRVGGNetCompact`: a plain trunk of 3×3 convolutions at the low
/// resolution whose result is added to the nearest-neighbour enlargement.
///
/// ```
/// h   = prelu(body.0(x))
/// for i in 1 ... layers:
///     h = prelu(body.2i(h))
/// out = pixel_shuffle(body.last(h)) + nearest(x)
/// ```
///
/// Number of layers, features and scale come from the tensors. The network works in 0…1.
struct SRVGGNetwork: Network {
  let scale: Int

  private let layers: [Convolution]
  private let tail: Convolution

  // From −1…1 to 0…1.
  private let range = Convolution(factor: 0.5, offsets: [0.5, 0.5, 0.5])

  /// Convolutions lie at even places of one sequence, and slopes between them.
  static func recognizes(_ store: WeightStore) -> Bool {
    store.dimensions("body.1.weight")?.count == 1
      && store.containsAll(["body.0.weight", "body.2.weight"])
  }

  init(_ store: WeightStore) throws(EngineError) {
    let count = store.count { "body.\(2 * $0).weight" } - 1
    guard count > 0 else { throw store.failure("it has no layers 'body.0' and 'body.2'") }
    layers = try (0..<count).map { (i) throws(EngineError) in
      let slopes = try store.weights("body.\(2 * i + 1).weight").values
      let layer = try store.layer("body.\(2 * i)", inputs: i == 0 ? 3 : nil, outputs: slopes.count)
      return layer.activated(.prelu(slopes: slopes))
    }
    tail = try store.layer("body.\(2 * count)")
    guard (layers + [tail]).areConnected else { throw store.failure("its layers do not connect") }
    guard let scale = rgbBlockSide(channels: tail.outputChannels) else {
      throw store.failure("its last layer makes \(tail.outputChannels) channels, which is no scale")
    }
    self.scale = scale
  }

  func graph(height: Int, width: Int) -> Graph {
    var graph = Graph()
    let x = graph.input(Shape(height: height, width: width, channels: 3))
    var h = graph.convolution(x, range)
    for layer in layers { h = graph.convolution(h, layer) }
    // 2 · (F + (x + 1) / 2) − 1 = 2 · F + x
    let f = graph.pixelShuffle(graph.convolution(h, tail.scaled(by: 2)), factor: scale)
    graph.output = graph.weightedSum([(1, f), (1, graph.nearest(x, factor: scale))])
    return graph
  }
}

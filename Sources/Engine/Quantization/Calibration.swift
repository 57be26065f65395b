/// Finds factors of 8 bits for a model from pictures that it is to enlarge.
///
/// A convolution gets factors where another one writes its picture and only convolutions read it; what
/// comes from the input picture, and convolutions of few channels, keep their precision.
struct Calibration {
  private let network: any Network
  private var layers: [Int: LayerSamples] = [:]

  /// How many pixels of a picture each layer keeps at most.
  let pixelsPerPicture: Int

  // Pictures are cut to this side, so that large ones take no more time than others.
  private static let side = 128

  // A kernel for 8 bits takes channels by the sixteen.
  private static let fewestChannels = 16

  // Of all pictures and layers together.
  private static let mostSampleBytes = 1 << 30

  /// Prepares for `pictures` pictures, of which fewer pixels are kept where a network has many layers.
  init(_ network: any Network, pictures: Int = 1) {
    self.network = network
    let found = Self.candidates(network.graph(height: 64, width: 64))
    let samples = found.reduce(0) { $0 + $1.convolution.inputChannels } * max(pictures, 1)
    let most = Self.mostSampleBytes / MemoryLayout<Float>.size / max(samples, 1)
    pixelsPerPicture = min(LayerSamples.usualPixelsPerPicture, max(most, 1))
    for (number, convolution) in found {
      layers[number] = LayerSamples(convolution, pixelsPerPicture: pixelsPerPicture)
    }
  }

  /// The number of convolutions that get factors.
  var layerCount: Int { layers.count }

  /// Whether all samples are numbers.
  var isFinite: Bool { layers.values.allSatisfy(\.isFinite) }

  /// Takes samples of what the layers read when a low-resolution picture is enlarged.
  mutating func add(_ image: Image) throws(EngineError) {
    let window = window(in: image)
    let graph = network.graph(height: window.height, width: window.width).fused
    let program = try Program(OneDNNBackend().compile(graph))
    let numbers = graph.convolutionNumbers
    try program.run(graph.inputs(image, window)) { (step, operands) throws(EngineError) in
      guard let number = numbers[step] else { return }
      let picture = graph.operations[step].operands[0]
      try layers[number]?.add(operands[0].floats, graph.shape(of: picture))
    }
  }

  /// The middle of a picture, of whole blocks of what the network takes; of one block where it is smaller.
  private func window(in image: Image) -> PixelRect {
    let block = network.tileRule.alignment
    func side(_ length: Int) -> Int { max(1, min(length, Self.side) / block) * block }
    let (width, height) = (side(image.width), side(image.height))
    return PixelRect(
      x: max(0, (image.width - width) / 2),
      y: max(0, (image.height - height) / 2),
      width: width,
      height: height,
    )
  }

  /// The factors, by the number of the convolution.
  func factors() throws(EngineError) -> [Int: IntegerFactors] {
    var factors: [Int: IntegerFactors] = [:]
    for (number, layer) in layers { factors[number] = try layer.factors() }
    return factors
  }

  /// The convolutions whose pictures could be stored in 8 bits.
  private static func candidates(_ graph: Graph) -> [(number: Int, convolution: Convolution)] {
    let convolutions = graph.numberedConvolutions.map(\.convolution)
    var trial = graph
    trial.quantize(
      Dictionary(
        uniqueKeysWithValues: convolutions.enumerated()
          .filter { $0.element.inputChannels >= fewestChannels }
          .map { ($0.offset, IntegerFactors(trialFor: $0.element)) }
      )
    )
    let types = trial.integerTypes()
    return trial.numberedConvolutions.enumerated()
      .filter { types[$0.element.picture.index] != .float32 }
      .map { ($0.offset, convolutions[$0.offset]) }
  }
}

extension IntegerFactors {
  // All alike, to find out which values could be stored.
  fileprivate init(trialFor convolution: Convolution) {
    let (inputs, outputs) = (convolution.inputChannels, convolution.outputChannels)
    self.init(
      input: Steps(
        sizes: Array(repeating: 1, count: inputs),
        zeros: Array(repeating: 0, count: inputs),
      ),
      weights: [],
      scales: Array(repeating: 1, count: outputs),
      bias: Array(repeating: 0, count: outputs),
    )
  }
}

extension Graph {
  /// The number of each operation that is a convolution, by its place among the operations.
  fileprivate var convolutionNumbers: [Int: Int] {
    let places = operations.indices.filter {
      if case .convolution = operations[$0].kind { true } else { false }
    }
    return Dictionary(uniqueKeysWithValues: places.enumerated().map { ($0.element, $0.offset) })
  }

  /// The inputs for a part of a picture.
  fileprivate func inputs(_ image: Image, _ window: PixelRect) -> [Tensor] {
    let tensors = inputs.map { Tensor(shape: shape(of: $0)) }
    image.load(window, into: tensors[0])
    if tensors.count > 1 { NoiseField(seed: 0).fill(tensors[1], canvasX: 0, canvasY: 0) }
    return tensors
  }
}

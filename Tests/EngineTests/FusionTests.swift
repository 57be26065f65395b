import TestSupport
import Testing

@testable import Engine

/// What sums or unshuffles a large picture makes it itself, with the same bits.
@Suite struct FusionTests {
  static let precisions: [Precision] = floatPrecisions + [.int8]

  @Test(arguments: precisions)
  func enlargesInsideASum(_ precision: Precision) throws {
    try expectSameBits(precision, removing: 2) { graph, lr, noise, secondReader in
      let features = graph.convolution(lr, Self.convolution(3, 48))
      let shuffled = graph.pixelShuffle(features, factor: 4)
      let bicubic = graph.bicubic(lr, factor: 4)
      secondReader(&graph, [shuffled, bicubic])
      return graph.weightedSum([(0.9, bicubic), (0.7, shuffled), (0.2, noise)])
    }
  }

  @Test(arguments: precisions)
  func repeatsPixelsInsideASum(_ precision: Precision) throws {
    try expectSameBits(precision, removing: 2) { graph, lr, noise, secondReader in
      let features = graph.convolution(lr, Self.convolution(3, 48))
      let shuffled = graph.pixelShuffle(features, factor: 4)
      let nearest = graph.nearest(lr, factor: 4)
      secondReader(&graph, [shuffled, nearest])
      return graph.weightedSum([(1, shuffled), (1, nearest)])
    }
  }

  @Test(arguments: precisions)
  func enlargesForTwoSums(_ precision: Precision) throws {
    try expectSameBits(precision, removing: 1) { graph, lr, noise, secondReader in
      let bicubic = graph.bicubic(lr, factor: 4)
      secondReader(&graph, [bicubic])
      let sum = graph.weightedSum([(1, bicubic), (0.5, noise)])
      return graph.weightedSum([(0.3, bicubic), (1.5, sum)])
    }
  }

  @Test(arguments: precisions)
  func sumsAndUnshufflesInsideAConcatenation(_ precision: Precision) throws {
    try expectSameBits(precision, removing: 3) { graph, lr, noise, secondReader in
      let bicubic = graph.bicubic(lr, factor: 4)
      let sum = graph.weightedSum([(1, bicubic), (0.5, noise)])
      let unshuffled = graph.pixelUnshuffle(sum, factor: 4)
      secondReader(&graph, [bicubic, unshuffled])
      var layer = Self.convolution(51, 32)
      layer.integer = IntegerFactors(steppingFor: layer)
      return graph.convolution(graph.concatenation([unshuffled, lr]), layer)
    }
  }

  @Test func leavesAFactorOfItsOwn() {
    var graph = Graph()
    let small = graph.input(Shape(height: 2, width: 3, channels: 16))
    let halved = graph.input(Shape(height: 4, width: 6, channels: 1))
    let (shuffled, nearest) = (
      graph.pixelShuffle(small, factor: 4), graph.nearest(halved, factor: 2)
    )
    graph.output = graph.weightedSum([(1, shuffled), (1, nearest)])
    #expect(graph.fused.operations.map(\.kind.name) == ["nearest", "sum"])
  }

  @Test func keepsWhatIsTheOutput() {
    var graph = Graph()
    let picture = graph.input(Shape(height: 2, width: 3, channels: 4))
    let shuffled = graph.pixelShuffle(picture, factor: 2)
    _ = graph.weightedSum([(2, shuffled)])
    graph.output = shuffled
    #expect(graph.fused.operations.count == 2)
  }

  private typealias SecondReader = (inout Graph, [Graph.Value]) -> Void

  /// Runs a graph as it is, and with second readers of some values, which keep it from being fused.
  private func expectSameBits(
    _ precision: Precision,
    removing count: Int,
    _ build: (inout Graph, Graph.Value, Graph.Value, SecondReader) -> Graph.Value,
  ) throws {
    var random = SeededGenerator(seed: 3)
    let (small, large) = (
      Shape(height: 5, width: 9, channels: 3), Shape(height: 20, width: 36, channels: 3)
    )
    let tensors = [small, large].map { Tensor(shape: $0, samples: random.floats($0.count)) }
    let results = try [false, true].map { isRead in
      var graph = Graph()
      let (lr, noise) = (graph.input(small), graph.input(large))
      graph.output = build(&graph, lr, noise) { graph, values in
        for value in values where isRead { _ = graph.activation(value, .none) }
      }
      #expect(graph.operations.count - graph.fused.operations.count == (isRead ? 0 : count))
      let program = try Program(OneDNNBackend(precision: precision).compile(graph))
      let output = try program.run(tensors)
      return (0..<program.graph.outputShape.count).map { output[$0].bitPattern }
    }
    #expect(results[0] == results[1])
  }

  private static func convolution(_ inputs: Int, _ outputs: Int) -> Convolution {
    var random = SeededGenerator(seed: 5)
    return Convolution(
      inputChannels: inputs,
      outputChannels: outputs,
      kernel: 3,
      weights: Parameters(random.floats(outputs * inputs * 9).map { $0 / 20 }),
      bias: random.floats(outputs),
    )
  }
}

extension IntegerFactors {
  /// Steps and weights that differ by channel.
  fileprivate init(steppingFor convolution: Convolution) {
    let (inputs, outputs) = (convolution.inputChannels, convolution.outputChannels)
    self.init(
      input: Steps(
        sizes: (0..<inputs).map { 0.02 + 0.001 * Float($0) },
        zeros: (0..<inputs).map { UInt8(100 + $0) },
      ),
      weights: (0..<(inputs * outputs * 9)).map { Int8($0 % 61 - 30) },
      scales: Array(repeating: 0.01, count: outputs),
      bias: (0..<outputs).map { Float($0) / 10 },
    )
  }
}

import TestSupport
import Testing

@testable import Engine

/// Values between layers that only convolutions read are rounded when they are written.
@Suite struct RoundedValueTests {
  struct Writer: CustomTestStringConvertible {
    let testDescription: String
    let add: @Sendable (inout Graph, Graph.Value) -> Graph.Value

    init(
      _ name: String,
      _ add: @escaping @Sendable (inout Graph, Graph.Value) -> Graph.Value,
    ) {
      testDescription = name
      self.add = add
    }
  }

  private static let half = OneDNNBackend(precision: .bfloat16, stripBudget: 4096)
  private static let input = Shape(height: 16, width: 24, channels: 48)

  static let writers = [
    Writer("convolution") { $0.convolution($1, convolution(48, 32)) },
    Writer("convolution with GELU") { $0.convolution($1, convolution(48, 32, .gelu)) },
    Writer("convolution with PReLU") {
      let slopes = (0..<32).map { Float($0) / 64 }
      return $0.convolution($1, convolution(48, 32, .prelu(slopes: slopes)))
    },
    Writer("convolution and residual") {
      $0.convolution($1, convolution(48, 48), addTo: $1, scaledBy: 0.7)
    },
    Writer("enlarged convolution") { $0.enlargedConvolution($1, convolution(48, 32)) },
    Writer("group norm") {
      let norm = GroupNorm(
        groups: 4,
        epsilon: 1e-6,
        scale: Array(repeating: 0.9, count: 48),
        shift: Array(repeating: 0.1, count: 48),
        activation: .silu,
      )
      return $0.groupNorm($1, norm)
    },
    Writer("window attention") {
      let bias = (0..<450).map { Float($0 % 7) / 7 }
      return $0.windowAttention(
        $1,
        WindowAttention(heads: 2, window: 8, shift: 0, relativeBias: bias),
      )
    },
    Writer("attention") { $0.attention(queries: $1, keys: $1, values: $1) },
    Writer("concatenation of both types") {
      $0.concatenation([$1, $0.convolution($1, convolution(48, 16))])
    },
  ]

  @Test(.enabled(if: floatPrecisions.contains(.bfloat16)), arguments: writers)
  func roundsTheSameWhenWritingAndWhenReading(_ writer: Writer) throws {
    var random = SeededGenerator(seed: 7)
    let x = random.floats(Self.input.count)
    var shape = Self.input
    let written = try Self.computed(Self.input, x) { graph, input in
      let value = writer.add(&graph, input)
      shape = graph.shape(of: value)
      return value
    }
    let reader = Self.convolution(shape.channels, 16)
    let apart = try Self.computed(shape, written) { $0.convolution($1, reader) }
    let together = try Self.computed(Self.input, x) {
      $0.convolution(writer.add(&$0, $1), reader)
    }
    #expect(together == apart)
    #expect(together.contains { $0 != together[0] }, "not one number everywhere")
  }

  @Test(arguments: writers) func isRoundedWhereOnlyConvolutionsRead(_ writer: Writer) {
    var graph = Graph()
    let value = writer.add(&graph, graph.input(Self.input))
    let channels = graph.shape(of: value).channels
    graph.output = graph.convolution(value, Self.convolution(channels, 16))
    #expect(graph.sampleTypes(for: .bfloat16)[value.index] == .bfloat16)
    #expect(graph.sampleTypes(for: .float32)[value.index] == .float32)
  }

  @Test func keepsWhatIsAddedOrNormalisedInSinglePrecision() {
    var graph = Graph()
    let x = graph.input(Self.input)
    let sum = graph.convolution(x, Self.convolution(48, 48))
    let change = graph.convolution(sum, Self.convolution(48, 48), addTo: sum)
    let norm = GroupNorm(
      groups: 4,
      epsilon: 1e-6,
      scale: Array(repeating: 1, count: 48),
      shift: Array(repeating: 0, count: 48),
      activation: .none,
    )
    let normal = graph.groupNorm(change, norm)
    graph.output = graph.convolution(normal, Self.convolution(48, 16))
    let types = graph.sampleTypes(for: .bfloat16)
    #expect([x, sum, change].map { types[$0.index] } == Array(repeating: .float32, count: 3))
    #expect(types[normal.index] == .bfloat16)
    #expect(graph.output.map { types[$0.index] } == .float32)
  }

  /// What a graph over one input makes of samples.
  private static func computed(
    _ shape: Shape,
    _ samples: [Float],
    _ build: (inout Graph, Graph.Value) -> Graph.Value,
  ) throws -> [Float] {
    var graph = Graph()
    let output = build(&graph, graph.input(shape))
    graph.output = output
    let program = try Program(half.compile(graph))
    let result = try program.run(Tensor(shape: shape, samples: samples))
    return Array(UnsafeBufferPointer(start: result, count: graph.shape(of: output).count))
  }

  private static func convolution(
    _ inputs: Int,
    _ outputs: Int,
    _ activation: Activation = .none,
  ) -> Convolution {
    var random = SeededGenerator(seed: UInt64(inputs * 100 + outputs))
    let scale = 1 / Float(inputs * 9).squareRoot()
    return Convolution(
      inputChannels: inputs,
      outputChannels: outputs,
      kernel: 3,
      weights: Parameters(random.floats(outputs * inputs * 9).map { $0 * scale }),
      bias: random.floats(outputs),
      activation: activation,
    )
  }
}

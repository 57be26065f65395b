import TestSupport
import Testing

@testable import Engine

/// Wide 3×3 convolutions over pictures that are large enough for Winograd's minimal filtering.
@Suite struct WinogradTests {
  // Heights that strips divide, and that they overlap in; sides of one pixel too many for blocks; one strip
  // in bfloat16, and strips of one row of blocks.
  static let sizes = [
    Shape(height: 64, width: 64, channels: 96), Shape(height: 70, width: 61, channels: 112),
    Shape(height: 33, width: 127, channels: 96), Shape(height: 17, width: 19, channels: 96),
    Shape(height: 3, width: 700, channels: 96),
  ]

  @Test(arguments: sizes, floatPrecisions)
  func convolvesAsTheReferenceDoes(_ shape: Shape, precision: Precision) throws {
    var random = SeededGenerator(seed: 8)
    let convolution = Self.convolution(from: shape.channels, to: 112, .silu, &random)
    let (x, residual) = (random.floats(shape.count), random.floats(shape.pixelCount * 112))
    let output = convolution.output(for: shape)
    let backend = OneDNNBackend(precision: precision)
    let actual = try run(backend, inputs: [(shape, x), (output, residual)]) {
      $0.convolution($1[0], convolution, addTo: $1[1], scaledBy: 0.7)
    }
    let expected = try Reference.convolution(
      x,
      shape,
      convolution,
      residual: residual,
      residualScale: 0.7,
    )
    #expect(maximumDifference(actual, expected) <= precision.winogradTolerance)
  }

  @Test(arguments: floatPrecisions)
  func layersFollowEachOther(precision: Precision) throws {
    var random = SeededGenerator(seed: 9)
    let shape = Shape(height: 70, width: 61, channels: 160)
    var graph = Graph()
    var h = graph.input(shape)
    let input = h
    for activation in [Activation.relu, .prelu(slopes: random.floats(160)), .none] {
      h = graph.convolution(h, Self.convolution(from: 160, to: 160, activation, &random))
    }
    graph.output = graph.weightedSum([(1, h), (0.5, input)])
    let x = Tensor(shape: shape, samples: random.floats(shape.count))
    let results = try [OneDNNBackend(precision: precision), OpenBLASBackend()]
      .map { (backend: any Backend) in
        let program = try Program(try backend.compile(graph))
        return Array(UnsafeBufferPointer(start: try program.run(x), count: shape.count))
      }
    #expect(maximumDifference(results[0], results[1]) <= precision.winogradTolerance)
  }

  // 36 weights instead of 9 show which kernel it is.
  @Test(.enabled(if: OneDNNBackend.hasWinograd, "oneDNN 2 has it for AVX-512 only"))
  func wideLayersOfLargePicturesAreFiltered() throws {
    var random = SeededGenerator(seed: 10)
    let wide = Self.convolution(from: 96, to: 96, .none, &random)
    let count = { (convolution: Convolution, side: Int) in
      let input = Shape(height: side, width: side, channels: convolution.inputChannels)
      let step = ConvolutionStep(convolution: convolution, input: input)
      return try OneDNNBackend().memory(of: step).weightByteCount
    }
    #expect(try count(wide, 64) == 96 * 96 * 36 * 4)
    #expect(try count(wide, 16) == 96 * 96 * 9 * 4)
    #expect(!OneDNNBackend().isExactInParts(wide))

    let narrow = Self.convolution(from: 64, to: 64, .none, &random)
    #expect(try count(narrow, 64) == 64 * 64 * 9 * 4)
    #expect(OneDNNBackend().isExactInParts(narrow))
  }

  // 16 weights instead of 9.
  @Test(.enabled(if: floatPrecisions.contains(.bfloat16) && !Winograd.multipliesTiles))
  func smallerPicturesAreFilteredInBFloat16() throws {
    var random = SeededGenerator(seed: 10)
    let count = { (channels: Int, side: Int) in
      let input = Shape(height: side, width: side, channels: channels)
      let wide = Self.convolution(from: channels, to: channels, .none, &random)
      let step = ConvolutionStep(convolution: wide, input: input)
      return try OneDNNBackend(precision: .bfloat16).memory(of: step).weightByteCount
    }
    #expect(try count(96, 16) == 96 * 96 * 16 * 2)
    #expect(try count(96, 15) == 96 * 96 * 9 * 2)
    #expect(try count(64, 16) == 64 * 64 * 9 * 2)
  }

  private static func convolution(
    from inputs: Int,
    to outputs: Int,
    _ activation: Activation,
    _ random: inout SeededGenerator,
  ) -> Convolution {
    let scale = 1 / Float(9 * inputs).squareRoot()
    return Convolution(
      inputChannels: inputs,
      outputChannels: outputs,
      kernel: 3,
      weights: Parameters(random.floats(9 * inputs * outputs).map { $0 * scale }),
      bias: random.floats(outputs),
      activation: activation,
    )
  }
}

extension Precision {
  fileprivate var winogradTolerance: Float {
    self == .float32 ? Tolerance.winograd : Tolerance.bfloat16
  }
}

extension OneDNNBackend {
  fileprivate static var hasWinograd: Bool {
    Machine.convolutionKernel.contains("avx512")
      && Machine.libraries.contains { $0.name == "oneDNN" && $0.version.hasPrefix("2.") }
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@testable import Engine

let backends: [any Backend] = [OneDNNBackend(), OpenBLASBackend()]

/// The precisions that this CPU can compute in.
let floatPrecisions: [Precision] = {
  if Precision.bfloat16.isPossible { return [.float32, .bfloat16] }
  FileHandle.standardError.write(Data("skipping bfloat16: this CPU has no AVX-512\n".utf8))
  return [.float32]
}()

/// Runs a graph of one operation over guarded memory.
func run(
  _ backend: any Backend,
  inputs: [(shape: Shape, samples: [Float])],
  _ build: (inout Graph, [Graph.Value]) -> Graph.Value,
) throws -> [Float] {
  var graph = Graph()
  let values = inputs.map { graph.input($0.shape) }
  let output = build(&graph, values)
  let operation = graph.operations[0]
  let types = [SampleType](repeating: .float32, count: graph.valueCount)
  let rows = graph.shape(of: output).height
  let kernel = try operation.kernel(in: graph, types: types, rows: rows, backend: backend)
  let count = graph.shape(of: output).count

  // Canaries on both sides show writes outside the result and outside the scratch memory.
  let guarded = Guarded(count: count)
  let scratch = Guarded(count: (kernel.scratchByteCount + 3) / 4)
  let tensors = inputs.map { Tensor(shape: $0.shape, samples: $0.samples) }
  let operands = operation.operands.map { UnsafeRawPointer(tensors[$0.index].pointer) }
  try withExtendedLifetime(tensors) {
    try operands.withUnsafeBufferPointer {
      try kernel.makeRunner().run($0, guarded.samples, first: 0, scratch: scratch.samples)
    }
  }
  #expect(guarded.isIntact && scratch.isIntact)
  return (0..<count).map { guarded.samples[$0] }
}

/// Floats with 64 canaries before and after.
final class Guarded {
  private static let canary: Float = 12345.678
  private static let margin = 64
  private let memory: UnsafeMutableBufferPointer<Float>
  private let count: Int

  init(count: Int) {
    self.count = count
    let raw = UnsafeMutableRawBufferPointer.allocate(
      byteCount: (count + 2 * Guarded.margin) * 4,
      alignment: 64
    )
    memory = raw.bindMemory(to: Float.self)
    memory.initialize(repeating: Guarded.canary)
  }

  deinit { memory.deallocate() }

  var samples: UnsafeMutablePointer<Float> { memory.baseAddress.unsafelyUnwrapped + Guarded.margin }

  var isIntact: Bool {
    memory.prefix(Guarded.margin).allSatisfy { $0 == Guarded.canary }
      && memory.suffix(Guarded.margin).allSatisfy { $0 == Guarded.canary }
  }
}

@Suite struct OperatorTests {
  struct Case: CustomTestStringConvertible {
    var height: Int
    var width: Int
    var inputs: Int
    var outputs: Int
    var kernel = 3
    var stride = 1
    var padding: Convolution.Padding?

    var testDescription: String {
      "\(height)×\(width), \(inputs)→\(outputs), \(kernel)×\(kernel), stride \(stride)"
    }
  }

  static let cases = [
    Case(height: 1, width: 1, inputs: 1, outputs: 1),
    Case(height: 1, width: 9, inputs: 3, outputs: 5),
    Case(height: 9, width: 1, inputs: 5, outputs: 3),
    Case(height: 2, width: 2, inputs: 16, outputs: 17),
    Case(height: 7, width: 13, inputs: 51, outputs: 48),
    Case(height: 17, width: 15, inputs: 48, outputs: 48),
    Case(height: 16, width: 33, inputs: 7, outputs: 65),
    Case(height: 9, width: 21, inputs: 96, outputs: 35),
    Case(height: 11, width: 12, inputs: 40, outputs: 48, stride: 2),
    Case(height: 5, width: 12, inputs: 48, outputs: 12, kernel: 1),
    Case(height: 11, width: 6, inputs: 9, outputs: 20, kernel: 5),
    Case(height: 12, width: 18, inputs: 16, outputs: 32, stride: 2),
    Case(height: 7, width: 9, inputs: 5, outputs: 19, stride: 2),
    Case(height: 10, width: 16, inputs: 16, outputs: 16, stride: 2, padding: trailing),
    Case(height: 9, width: 5, inputs: 3, outputs: 7, stride: 2, padding: trailing),
    Case(height: 1, width: 1, inputs: 4, outputs: 4, kernel: 2, padding: trailing),
    Case(height: 6, width: 11, inputs: 17, outputs: 33, kernel: 2, padding: trailing),
  ]

  private static let trailing = Convolution.Padding(before: 0, after: 1)

  @Test(arguments: cases, [0, 1])
  func convolvesAsTheReferenceDoes(_ size: Case, backend: Int) throws {
    try check(size, .none, backend: backends[backend], tolerance: Tolerance.float32Accumulation)
  }

  // With AVX2 layers of 32 channels and more take another layout.
  @Test func convolvesWithSmallerInstructionSets() async {
    await #expect(processExitsWith: .success) { try checkConvolutions(with: "SSE41") }
    await #expect(processExitsWith: .success) { try checkConvolutions(with: "AVX2") }
  }

  @Test(arguments: [19, 40], [0, 1])
  func appliesEveryActivationAndResidual(inputs: Int, backend: Int) throws {
    var random = SeededGenerator(seed: 7)
    let size = Case(height: 6, width: 10, inputs: inputs, outputs: 21)
    let activations: [Activation] = [
      .none, .relu, .leakyReLU(slope: 0.2), .prelu(slopes: random.floats(21)), .silu, .gelu,
    ]
    for activation in activations {
      for hasResidual in [false, true] {
        try check(
          size,
          activation,
          hasResidual: hasResidual,
          backend: backends[backend],
          tolerance: Tolerance.transcendental
        )
      }
    }
  }

  // A budget of a few rows forces first, middle and last strips, the last one shorter.
  @Test(arguments: [1, 2, 3, 4, 5, 8])
  func cutsIntoStripsWithoutChangingTheResult(rows: Int) throws {
    let size = Case(height: 11, width: 7, inputs: 6, outputs: 8)
    try check(
      size,
      .prelu(slopes: Array(repeating: 0.3, count: 8)),
      hasResidual: true,
      backend: OneDNNBackend(stripBudget: rows * 7 * 8 * 4),
      tolerance: Tolerance.float32Accumulation
    )
    for (stride, padding) in [(2, nil), (2, Self.trailing), (1, .init(before: 1, after: 0))] {
      let size = Case(
        height: 23,
        width: 13,
        inputs: 6,
        outputs: 8,
        kernel: stride + 1,
        stride: stride,
        padding: padding,
      )
      try check(
        size,
        .relu,
        backend: OneDNNBackend(stripBudget: rows * 7 * 8 * 4),
        tolerance: Tolerance.float32Accumulation
      )
    }
  }

  @Test(arguments: [(1, 1, 1, 1), (1, 5, 3, 4), (7, 3, 16, 17), (13, 9, 33, 48)], [0, 1])
  func convolvesEnlargedPictures(size: (Int, Int, Int, Int), backend: Int) throws {
    var random = SeededGenerator(seed: 5)
    let (height, width, inputs, outputs) = size
    let shape = Shape(height: height, width: width, channels: inputs)
    let x = random.floats(shape.count)
    let scale = 1 / Float(9 * inputs).squareRoot()
    let convolution = Convolution(
      inputChannels: inputs,
      outputChannels: outputs,
      kernel: 3,
      weights: Parameters(random.floats(9 * inputs * outputs).map { $0 * scale }),
      bias: random.floats(outputs),
      activation: .leakyReLU(slope: 0.2),
    )
    let actual = try run(backends[backend], inputs: [(shape, x)]) {
      $0.enlargedConvolution($1[0], convolution)
    }
    let large = Shape(height: 2 * height, width: 2 * width, channels: inputs)
    let repeated = Reference.nearest(x, shape, factor: 2)
    let expected = try Reference.convolution(repeated, large, convolution)
    #expect(maximumDifference(actual, expected) <= Tolerance.float32Accumulation)
  }

  @Test(.enabled(if: floatPrecisions.contains(.bfloat16)), arguments: cases)
  func convolvesInHalfPrecisionNearly(_ size: Case) throws {
    try check(
      size,
      .silu,
      hasResidual: true,
      backend: OneDNNBackend(precision: .bfloat16, stripBudget: 4096),
      tolerance: Tolerance.bfloat16
    )
  }

  private func check(
    _ size: Case,
    _ activation: Activation,
    hasResidual: Bool = false,
    backend: any Backend,
    tolerance: Float,
  ) throws {
    var random = SeededGenerator(seed: 42)
    let input = Shape(height: size.height, width: size.width, channels: size.inputs)
    let area = size.kernel * size.kernel
    let scale = 1 / Float(size.inputs * area).squareRoot()
    let convolution = Convolution(
      inputChannels: size.inputs,
      outputChannels: size.outputs,
      kernel: size.kernel,
      stride: size.stride,
      padding: size.padding,
      weights: Parameters(random.floats(size.outputs * size.inputs * area).map { $0 * scale }),
      bias: random.floats(size.outputs),
      activation: activation,
    )
    let output = convolution.output(for: input)
    let x = random.floats(input.count)
    let residual = random.floats(output.count)
    let inputs = hasResidual ? [(input, x), (output, residual)] : [(input, x)]
    let actual = try run(backend, inputs: inputs) { graph, values in
      graph.convolution(
        values[0],
        convolution,
        addTo: hasResidual ? values[1] : nil,
        scaledBy: 0.7,
      )
    }
    let expected = try Reference.convolution(
      x,
      input,
      convolution,
      residual: hasResidual ? residual : nil,
      residualScale: 0.7,
    )
    #expect(maximumDifference(actual, expected) <= tolerance, "\(backend.name), \(activation)")
  }

  @Test(arguments: [1, 2, 3, 4])
  func shufflesPixelsAsPyTorchDoes(factor: Int) throws {
    var random = SeededGenerator(seed: 1)
    let shape = Shape(height: 5, width: 7, channels: 3 * factor * factor)
    let x = random.floats(shape.count)
    let shuffled = try run(backends[0], inputs: [(shape, x)]) { graph, values in
      graph.pixelShuffle(values[0], factor: factor)
    }
    #expect(maximumDifference(shuffled, Reference.pixelShuffle(x, shape, factor: factor)) == 0)

    let large = Shape(height: 5 * factor, width: 7 * factor, channels: 3)
    let unshuffled = try run(backends[0], inputs: [(large, shuffled)]) { graph, values in
      graph.pixelUnshuffle(values[0], factor: factor)
    }
    #expect(maximumDifference(unshuffled, x) == 0)
  }

  // Three vectors of bicubic's weights serve what divides them, if that is three samples or more.
  @Test(
    arguments: [(1, 1), (1, 5), (6, 1), (3, 2), (9, 17), (2, 37), (2, 100)],
    [(1, 3), (2, 3), (3, 3), (4, 3), (5, 1), (1, 1), (2, 1), (4, 1), (1, 2), (2, 4)],
  )
  func enlargesAsPyTorchDoes(
    size: (height: Int, width: Int),
    _ enlargement: (factor: Int, channels: Int),
  ) throws {
    var random = SeededGenerator(seed: 2)
    let factor = enlargement.factor
    let shape = Shape(height: size.height, width: size.width, channels: enlargement.channels)
    let x = random.floats(shape.count)
    let cubic = try run(backends[0], inputs: [(shape, x)]) { $0.bicubic($1[0], factor: factor) }
    let expected = Reference.bicubic(x, shape, factor: factor)
    #expect(maximumDifference(cubic, expected) <= Tolerance.float32Accumulation)
    let nearest = try run(backends[0], inputs: [(shape, x)]) { $0.nearest($1[0], factor: factor) }
    #expect(maximumDifference(nearest, Reference.nearest(x, shape, factor: factor)) == 0)
  }

  @Test(arguments: [1, 2, 3, 4, 5])
  func sumsWithWeights(terms: Int) throws {
    var random = SeededGenerator(seed: 3)
    let shape = Shape(height: 3, width: 11, channels: 5)
    let inputs = (0..<terms).map { _ in (shape, random.floats(shape.count)) }
    let weights = random.floats(terms)
    let actual = try run(backends[0], inputs: inputs) { graph, values in
      graph.weightedSum(zip(weights, values).map { ($0, $1) })
    }
    let expected = (0..<shape.count).map { i in
      zip(weights, inputs).reduce(Float(0)) { $0 + $1.0 * $1.1.1[i] }
    }
    #expect(maximumDifference(actual, expected) <= Tolerance.float32Accumulation)
  }

  @Test(arguments: [1, 63, 1000])
  func weighsAResultByItself(count: Int) throws {
    var random = SeededGenerator(seed: 11)
    let shape = Shape(height: 1, width: count, channels: 1)
    let (h, x) = (random.floats(count).map { $0 * 20 }, random.floats(count))
    let actual = try run(backends[0], inputs: [(shape, h), (shape, x)]) { graph, values in
      graph.parameterFreeAttention(values[0], values[1])
    }
    let expected = zip(h, x).map { ($0 + $1) * (1 / (1 + expf(-$0)) - 0.5) }
    #expect(maximumDifference(actual, expected) <= Tolerance.transcendental)
  }

  @Test func concatenatesChannels() throws {
    var random = SeededGenerator(seed: 4)
    let parts = [3, 1, 48].map { channels in
      let shape = Shape(height: 4, width: 3, channels: channels)
      return (shape, random.floats(shape.count))
    }
    let actual = try run(backends[0], inputs: parts) { graph, values in
      graph.concatenation(values)
    }
    let expected = (0..<12).flatMap { pixel in
      parts.flatMap { shape, samples in
        samples[(pixel * shape.channels)..<((pixel + 1) * shape.channels)]
      }
    }
    #expect(maximumDifference(actual, expected) == 0)
  }
}

/// Expects what the tests do; oneDNN reads the variable when it starts.
private func checkConvolutions(with instructions: String) throws {
  setenv("ONEDNN_MAX_CPU_ISA", instructions, 1)
  let tests = OperatorTests()
  for size in OperatorTests.cases { try tests.convolvesAsTheReferenceDoes(size, backend: 0) }
  for inputs in [19, 40] { try tests.appliesEveryActivationAndResidual(inputs: inputs, backend: 0) }
}

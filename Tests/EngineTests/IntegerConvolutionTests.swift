import Glibc
import TestSupport
import Testing

@testable import Engine

/// Convolutions of 8-bit samples against whole numbers.
@Suite struct IntegerConvolutionTests {
  fileprivate static let cases =
    OperatorTests.cases + [
      OperatorTests.Case(height: 20, width: 31, inputs: 64, outputs: 64),
      OperatorTests.Case(height: 19, width: 17, inputs: 100, outputs: 130),
      OperatorTests.Case(height: 3, width: 70, inputs: 80, outputs: 80),
      OperatorTests.Case(height: 5, width: 33, inputs: 32, outputs: 112, kernel: 1),
      OperatorTests.Case(height: 4, width: 3, inputs: 4, outputs: 16, kernel: 5),
      OperatorTests.Case(height: 5, width: 36, inputs: 51, outputs: 48),
    ]

  @Test(arguments: cases) func sumsAreExact(_ size: OperatorTests.Case) throws {
    let problem = Problem(size)
    #expect(try problem.sums(stripBudget: 2 << 20) == problem.expectedSums())
    #expect(problem.factors.isExact(inputChannels: size.inputs))
  }

  @Test(arguments: [1, 4096, 9000, 1 << 30]) func stripsDoNotChangeABit(budget: Int) throws {
    let problem = Problem(OperatorTests.Case(height: 23, width: 18, inputs: 48, outputs: 33))
    #expect(try problem.sums(stripBudget: budget) == problem.expectedSums())
  }

  // AVX2 and AVX-512 without VNNI add two products in 16 bits.
  @Test func sumsAreExactWithSmallerInstructionSets() async {
    await #expect(processExitsWith: .success) { try checkSums(with: "SSE41") }
    await #expect(processExitsWith: .success) { try checkSums(with: "AVX2") }
    await #expect(processExitsWith: .success) { try checkSums(with: "AVX512_CORE") }
    await #expect(processExitsWith: .success) { try checkSums(with: "AVX512_CORE_VNNI") }
  }

  // The second size is for the kernels of whole vectors of channels; slopes above 1 are not all kernels' affair.
  @Test(
    arguments: [
      OperatorTests.Case(height: 6, width: 10, inputs: 19, outputs: 21),
      OperatorTests.Case(height: 4, width: 39, inputs: 48, outputs: 48),
    ],
    [false, true]
  )
  func appliesEveryActivationAndResidual(_ size: OperatorTests.Case, stores: Bool) throws {
    var random = SeededGenerator(seed: 3)
    let slopes = random.floats(size.outputs)
    let activations: [Activation] = [
      .none, .relu, .leakyReLU(slope: 0.2), .leakyReLU(slope: 1.5), .prelu(slopes: slopes), .silu,
      .gelu,
    ]
    for activation in activations {
      for residual in Problem.Residual.allCases {
        var problem = Problem(size, activation)
        problem.residual = residual
        problem.stores = stores
        let (actual, expected) = (try problem.result(stripBudget: 2048), problem.expected())
        // A step is rounded by half of itself; sums are around 1, steps 0.05.
        let tolerance = stores ? 0.0251 : Tolerance.transcendental
        #expect(maximumDifference(actual, expected) <= tolerance, "\(activation), \(residual)")
      }
    }
  }
}

/// Ends the process with an error if a sum is wrong; oneDNN reads the variable when it starts.
private func checkSums(with instructions: String) throws {
  setenv("ONEDNN_MAX_CPU_ISA", instructions, 1)
  for size in IntegerConvolutionTests.cases {
    let problem = Problem(size)
    guard try problem.sums(stripBudget: 4096) == problem.expectedSums() else {
      exit(EXIT_FAILURE)
    }
  }
}

/// Random numbers for a convolution of 8-bit samples.
private struct Problem {
  enum Residual: CaseIterable { case none, float32, uint8 }

  let size: OperatorTests.Case
  let convolution: Convolution
  let factors: IntegerFactors
  let samples: [UInt8]
  let residuals: [UInt8]
  var residual = Residual.none
  var stores = false

  private let output: Shape
  private let resultSteps: Steps
  private let input: Shape

  init(_ size: OperatorTests.Case, _ activation: Activation? = nil) {
    var random = SeededGenerator(seed: UInt64(size.inputs * 1000 + size.outputs))
    self.size = size
    let (inputs, outputs) = (size.inputs, size.outputs)
    let count = outputs * inputs * size.kernel * size.kernel
    // Extremes are likely: 64 twice is what a pair may have.
    let weights = (0..<count).map { _ in
      Int8(max(-64, min(64, Int.random(in: -90...90, using: &random))))
    }
    // Sums of 1 are worth 1, and float holds them exactly; with an activation they are around 1.
    let scale: Float = activation == nil ? 1 : 1 / Float(inputs * 9 * 1000)
    factors = IntegerFactors(
      input: Steps(
        sizes: Array(repeating: 1, count: inputs),
        zeros: (0..<inputs).map { _ in UInt8.random(in: 0...255, using: &random) },
      ),
      weights: weights,
      scales: Array(repeating: scale, count: outputs),
      bias: (0..<outputs).map { _ in Float(Int.random(in: -9...9, using: &random)) * scale },
    )
    var convolution = Convolution(
      inputChannels: inputs,
      outputChannels: outputs,
      kernel: size.kernel,
      stride: size.stride,
      padding: size.padding,
      weights: Parameters(Array(repeating: 0, count: count)),
      bias: Array(repeating: 0, count: outputs),
      activation: activation ?? .none,
    )
    convolution.integer = factors
    self.convolution = convolution
    input = Shape(height: size.height, width: size.width, channels: inputs)
    output = convolution.output(for: input)
    resultSteps = Steps(
      sizes: Array(repeating: 0.05, count: outputs),
      zeros: (0..<outputs).map { _ in UInt8.random(in: 100...150, using: &random) },
    )
    samples = (0..<input.count).map { _ in
      UInt8.random(in: 0...3, using: &random) == 0 ? 255 : UInt8.random(in: 0...255, using: &random)
    }
    residuals = (0..<output.count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// The result of a convolution without activation.
  func sums(stripBudget: Int) throws -> [Float] { try result(stripBudget: stripBudget) }

  func expectedSums() -> [Float] { expectedIntegers().map(Float.init) }

  /// What the backend makes of the samples.
  func result(stripBudget: Int) throws -> [Float] {
    var step = ConvolutionStep(convolution: convolution, input: input)
    step.inputType = .uint8(factors.input)
    step.resultType = stores ? .uint8(resultSteps) : .float32
    step.residualScale = residual == .none ? nil : 0.5
    step.residualType = residual == .uint8 ? .uint8(resultSteps) : .float32
    let backend = OneDNNBackend(precision: .int8, stripBudget: stripBudget)
    let kernel = try backend.kernel(for: step)
    let guarded = Guarded(count: stores ? (output.count + 3) / 4 : output.count)
    let scratch = Guarded(count: (kernel.scratchByteCount + 3) / 4)
    let floats = residualSamples
    try samples.withUnsafeBytes { samples in
      try residuals.withUnsafeBytes { bytes in
        try floats.withUnsafeBytes { floats in
          var operands = [samples.baseAddress.unsafelyUnwrapped]
          if residual == .uint8 { operands.append(bytes.baseAddress.unsafelyUnwrapped) }
          if residual == .float32 { operands.append(floats.baseAddress.unsafelyUnwrapped) }
          try operands.withUnsafeBufferPointer {
            try kernel.makeRunner().run($0, guarded.samples, first: 0, scratch: scratch.samples)
          }
        }
      }
    }
    #expect(guarded.isIntact && scratch.isIntact)
    guard stores else { return (0..<output.count).map { guarded.samples[$0] } }
    let bytes = UnsafeRawPointer(guarded.samples).assumingMemoryBound(to: UInt8.self)
    return (0..<output.count).map { sample(bytes[$0], $0) }
  }

  /// The same in floats, before it is stored; what lies beyond the steps is cut.
  func expected() -> [Float] {
    expectedIntegers().enumerated().map { index, sum in
      let channel = index % output.channels
      var value = Reference.activated(
        Float(Double(sum) * Double(factors.scales[channel])),
        convolution.activation,
        channel: channel,
      )
      if residual != .none { value += 0.5 * residualSamples[index] }
      return stores ? min(max(value, sample(0, index)), sample(255, index)) : value
    }
  }

  private var residualSamples: [Float] {
    residuals.indices.map { sample(residuals[$0], $0) }
  }

  /// What a step at an index is worth.
  private func sample(_ step: UInt8, _ index: Int) -> Float {
    let channel = index % output.channels
    return (Float(step) - Float(resultSteps.zeros[channel])) * resultSteps.sizes[channel]
  }

  /// Sums in whole numbers, with the bias in units of the scale.
  private func expectedIntegers() -> [Int] {
    let (kernel, channels) = (size.kernel, size.inputs)
    return (0..<output.count).map { index in
      let (pixel, out) = (index / output.channels, index % output.channels)
      var sum = Int((factors.bias[out] / factors.scales[out]).rounded())
      for place in 0..<(kernel * kernel) {
        let y = pixel / output.width * size.stride + place / kernel - convolution.padding.before
        let x = pixel % output.width * size.stride + place % kernel - convolution.padding.before
        guard (0..<size.height).contains(y), (0..<size.width).contains(x) else { continue }
        for channel in 0..<channels {
          let sample = Int(samples[(y * size.width + x) * channels + channel])
          let weight = factors.weights[(out * channels + channel) * kernel * kernel + place]
          sum += (sample - Int(factors.input.zeros[channel])) * Int(weight)
        }
      }
      return sum
    }
  }
}

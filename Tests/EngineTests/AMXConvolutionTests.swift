import TestSupport
import Testing

@testable import Engine

/// Our kernel for CPUs with AMX, in bfloat16; in 8 bits IntegerConvolutionTests reach it.
@Suite(.enabled(if: Winograd.multipliesTiles, "this CPU has no AMX"))
struct AMXConvolutionTests {
  typealias Case = OperatorTests.Case

  // Blocks are 32 pixels wide, groups up to 48 output channels.
  static let cases = [
    Case(height: 1, width: 1, inputs: 2, outputs: 16),
    Case(height: 2, width: 40, inputs: 48, outputs: 48),
    Case(height: 5, width: 33, inputs: 64, outputs: 64),
    Case(height: 4, width: 97, inputs: 80, outputs: 80),
    Case(height: 3, width: 64, inputs: 32, outputs: 16),
    Case(height: 6, width: 35, inputs: 96, outputs: 96, kernel: 1),
    Case(height: 4, width: 3, inputs: 16, outputs: 32, kernel: 5),
    Case(height: 5, width: 36, inputs: 51, outputs: 48),
    Case(height: 6, width: 40, inputs: 17, outputs: 32, kernel: 2, padding: trailing),
    Case(height: 3, width: 34, inputs: 8, outputs: 16, kernel: 7),
  ]

  private static let trailing = Convolution.Padding(before: 0, after: 1)

  // A slope above 1 is none of the two straight lines of which the higher one counts.
  private static let activations: [Activation] = [
    .none, .relu, .leakyReLU(slope: 0.2), .leakyReLU(slope: 1.5), .silu,
    .prelu(slopes: (0..<96).map { Float($0) / 96 - 0.3 }),
  ]

  @Test(arguments: cases) func convolvesAsTheReferenceDoes(_ size: Case) throws {
    for activation in Self.activations {
      for hasResidual in [false, true] {
        for rounds in [false, true] {
          let problem = Problem(size, activation, hasResidual: hasResidual, rounds: rounds)
          let difference = maximumDifference(try problem.result(), try problem.expected())
          // Rounded results around 4 are up to 1/64 off.
          let tolerance = rounds ? 2e-2 : Tolerance.transcendental
          #expect(difference <= tolerance, "\(activation), \(hasResidual), \(rounds)")
        }
      }
    }
  }

  @Test func isTakenWhereItSuits() throws {
    let problem = Problem(Self.cases[1], .none, hasResidual: false, rounds: true)
    #expect(try OneDNNBackend(precision: .bfloat16).kernel(for: problem.step) is AMXConvolution)
    let few = Case(height: 2, width: 40, inputs: 48, outputs: 12)
    let step = Problem(few, .none, hasResidual: false, rounds: true).step
    #expect(!AMXConvolution.suits(step, precision: .bfloat16))
    var single = problem.step
    single.inputType = .float32
    #expect(AMXConvolution.suits(single, precision: .bfloat16))
    #expect(!AMXConvolution.suits(single, precision: .float32))
  }

  // Of the second size rows are made ready before they are read.
  @Test(arguments: [cases[3], cases[7]]) func partsHaveTheBitsOfTheWhole(_ size: Case) throws {
    let problem = Problem(size, .relu, hasResidual: true, rounds: true)
    let whole = try problem.result()
    let row = size.width * size.outputs
    for first in 0..<(size.height - 1) {
      let part = try problem.result(rows: first..<(first + 2))
      let samples = (first * row)..<((first + 2) * row)
      #expect(part[samples] == whole[samples])
    }
  }
}

/// Random numbers for a convolution in bfloat16.
private struct Problem {
  var step: ConvolutionStep
  private let samples: [UInt16]
  private let residual: [Float]?

  init(
    _ size: AMXConvolutionTests.Case,
    _ activation: Activation,
    hasResidual: Bool,
    rounds: Bool,
  ) {
    var random = SeededGenerator(seed: UInt64(size.inputs * 100 + size.outputs))
    let area = size.kernel * size.kernel
    let scale = 1 / Float(size.inputs * area).squareRoot()
    let weights = random.floats(size.outputs * size.inputs * area).map { ($0 * scale).half.single }
    var activation = activation
    if case .prelu(let slopes) = activation {
      activation = .prelu(slopes: Array(slopes.prefix(size.outputs)))
    }
    let convolution = Convolution(
      inputChannels: size.inputs,
      outputChannels: size.outputs,
      kernel: size.kernel,
      padding: size.padding,
      weights: Parameters(weights),
      bias: random.floats(size.outputs),
      activation: activation,
    )
    let input = Shape(height: size.height, width: size.width, channels: size.inputs)
    step = ConvolutionStep(convolution: convolution, input: input)
    step.inputType = .bfloat16
    step.resultType = rounds ? .bfloat16 : .float32
    step.residualScale = hasResidual ? 0.7 : nil
    samples = random.floats(input.count).map(\.half)
    residual = hasResidual ? random.floats(convolution.output(for: input).count) : nil
  }

  /// What the kernel makes of the samples, of some rows or of all; 0 elsewhere.
  func result(rows: Range<Int>? = nil) throws -> [Float] {
    var step = step
    step.rows = rows?.count
    let kernel = try OneDNNBackend(precision: .bfloat16).kernel(for: step)
    #expect(kernel is AMXConvolution)
    let count = step.output.count
    let rounds = step.resultType == .bfloat16
    let guarded = Guarded(count: rounds ? (count + 1) / 2 : count)
    guarded.samples.initialize(repeating: 0, count: rounds ? (count + 1) / 2 : count)
    let scratch = Guarded(count: (kernel.scratchByteCount + 3) / 4)
    try samples.withUnsafeBytes { samples in
      try (residual ?? []).withUnsafeBytes { residual in
        var operands = [samples.baseAddress.unsafelyUnwrapped]
        if self.residual != nil { operands.append(residual.baseAddress.unsafelyUnwrapped) }
        try operands.withUnsafeBufferPointer {
          let first = rows?.lowerBound ?? 0
          try kernel.makeRunner().run($0, guarded.samples, first: first, scratch: scratch.samples)
        }
      }
    }
    #expect(guarded.isIntact && scratch.isIntact)
    guard rounds else { return (0..<count).map { guarded.samples[$0] } }
    let halves = UnsafeRawPointer(guarded.samples).assumingMemoryBound(to: UInt16.self)
    return (0..<count).map { halves[$0].single }
  }

  func expected() throws -> [Float] {
    try Reference.convolution(
      samples.map(\.single),
      step.input,
      step.convolution,
      residual: residual,
      residualScale: step.residualScale ?? 0,
    )
  }
}

extension Float {
  /// The nearest number with 8 bits of mantissa, the even one of two.
  fileprivate var half: UInt16 {
    UInt16((bitPattern + 0x7FFF + (bitPattern >> 16 & 1)) >> 16)
  }
}

extension UInt16 {
  fileprivate var single: Float { Float(bitPattern: UInt32(self) << 16) }
}

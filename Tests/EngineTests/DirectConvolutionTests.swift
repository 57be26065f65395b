import TestSupport
import Testing

@testable import Engine

/// Our own convolutions: every size of block, every shape of the line that follows the sums, and the
/// same bits wherever a pixel lies.
@Suite struct DirectConvolutionTests {
  private static let precisions: [Precision] = floatPrecisions.filter {
    DirectConvolution.suits(Problem(width: 1, outputs: 1).step, precision: $0)
  }

  /// Widths for blocks of 1 to 14 pixels, alone and after whole blocks; output channels for one to seven
  /// vectors, whole and not.
  @Test(arguments: [16, 32, 48, 64, 80, 100], precisions)
  func everySizeOfBlockIsRight(outputs: Int, precision: Precision) throws {
    for width in 1...30 {
      let problem = Problem(width: width, outputs: outputs)
      #expect(try problem.error(precision) <= problem.tolerance(precision), "width \(width)")
    }
  }

  /// Slopes below 0, between, and above 1, where the upper line becomes the lower one.
  @Test(arguments: precisions)
  func everySlopeIsRight(precision: Precision) throws {
    let slopes: [Float] = [-2, -0.5, 0, 0.25, 1, 1.5, 3]
    let activation = Activation.prelu(slopes: (0..<48).map { slopes[$0 % slopes.count] })
    let problem = Problem(width: 17, outputs: 48, activation: activation)
    #expect(try problem.error(precision) <= 3 * problem.tolerance(precision))
  }

  /// Pixels with the same neighbourhood have the same bits, at the left, in the middle, and at the end of a
  /// row of blocks: what reuse of unchanged parts relies on.
  @Test(arguments: precisions)
  func bitsDoNotDependOnThePlace(precision: Precision) throws {
    let pattern = Problem(width: 3, outputs: 48)
    let repeated = Problem(width: 33, outputs: 48, pixels: pattern.x)
    let result = try repeated.result(precision)
    let (row, period) = (33 * 48, 3 * 48)
    for y in 0..<repeated.output.height {
      let first = Array(result[(y * row + period)..<(y * row + 2 * period)])
      for block in 2..<10 {
        let start = y * row + block * period
        #expect(Array(result[start..<(start + period)]) == first)
      }
    }
  }

  /// Weights of more than a strip's least size, a picture of several strips.
  @Test(arguments: precisions)
  func stripsJoin(precision: Precision) throws {
    let problem = Problem(width: 301, height: 40, inputs: 67, outputs: 33)
    #expect(try problem.error(precision) <= problem.tolerance(precision))
  }
}

/// A convolution of random samples, or of a few pixels that repeat.
private struct Problem {
  let step: ConvolutionStep
  let x: [Float]

  init(
    width: Int,
    height: Int = 3,
    inputs: Int = 5,
    outputs: Int,
    activation: Activation = .leakyReLU(slope: 0.2),
    pixels: [Float]? = nil,
  ) {
    var random = SeededGenerator(seed: 9)
    let scale = 1 / Float(9 * inputs).squareRoot()
    let convolution = Convolution(
      inputChannels: inputs,
      outputChannels: outputs,
      kernel: 3,
      weights: Parameters(random.floats(9 * inputs * outputs).map { $0 * scale }),
      bias: random.floats(outputs),
      activation: activation,
    )
    let input = Shape(height: height, width: width, channels: inputs)
    step = ConvolutionStep(convolution: convolution, input: input)
    let period = pixels.map { $0.count / height } ?? input.count / height
    let source = pixels ?? random.floats(input.count)
    let row = width * inputs
    x = (0..<input.count).map { source[$0 / row * period + $0 % row % period] }
  }

  var output: Shape { step.output }

  func tolerance(_ precision: Precision) -> Float {
    precision == .bfloat16 ? Tolerance.bfloat16 : Tolerance.float32Accumulation
  }

  func result(_ precision: Precision) throws -> [Float] {
    #expect(DirectConvolution.suits(step, precision: precision))
    return try run(OneDNNBackend(precision: precision), inputs: [(step.input, x)]) {
      $0.convolution($1[0], step.convolution)
    }
  }

  /// The largest difference from plain loops.
  func error(_ precision: Precision) throws -> Float {
    let expected = try Reference.convolution(x, step.input, step.convolution)
    return maximumDifference(try result(precision), expected)
  }
}

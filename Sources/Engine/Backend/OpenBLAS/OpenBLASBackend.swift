internal import EngineC

/// The portable backend: neighbourhoods gathered into a matrix (im2col) and multiplied by OpenBLAS.
///
/// Slower than oneDNN and independent of it: the second opinion in tests, and the engine of machines
/// without oneDNN.
public struct OpenBLASBackend: Backend {
  /// `openblas`.
  public let name = "openblas"

  // Once per process, before the first BLAS call.
  private static let configured: Void = enginec_openblas_configure()

  /// Creates the backend and makes OpenBLAS single-threaded in this process.
  public init() {
    Self.configured
  }

  /// Returns a kernel that gathers and multiplies a strip of rows at a time.
  public func kernel(
    for convolution: Convolution,
    input: Shape,
    hasResidual: Bool,
  ) throws(EngineError) -> any Kernel {
    OpenBLASConvolution(convolution, input: input, hasResidual: hasResidual)
  }
}

/// A convolution as the product of gathered pixels (a row each) and weights (a column per channel).
private struct OpenBLASConvolution: Kernel, KernelRunner {
  let input: Shape
  let kernel: Int
  let depth: Int
  let outputChannels: Int
  let weights: [Float]
  let strips: Strips
  let finish: Finish

  init(_ convolution: Convolution, input: Shape, hasResidual: Bool) {
    self.input = input
    kernel = convolution.kernel
    depth = kernel * kernel * convolution.inputChannels
    outputChannels = convolution.outputChannels
    weights = convolution.weightsInGatheringOrder
    // 1 MiB of gathered pixels: rows enough for the product to be efficient, few enough for the cache.
    strips = Strips(
      height: input.height,
      bytesPerRow: input.width * depth * MemoryLayout<Float>.size,
      budget: 1 << 20,
    )
    finish = Finish(
      bias: convolution.bias,
      activation: convolution.activation,
      hasResidual: hasResidual,
    )
  }

  var scratchByteCount: Int { strips.rows * input.width * depth * MemoryLayout<Float>.size }

  func makeRunner() -> any KernelRunner { self }

  func run(
    _ operands: UnsafeBufferPointer<UnsafePointer<Float>>,
    _ result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutableRawPointer,
  ) throws(EngineError) {
    let gathered = scratch.assumingMemoryBound(to: Float.self)
    try strips.forEach { (first, rows) in
      let strip = result + first * input.width * outputChannels
      enginec_im2col(
        gathered,
        operands[0],
        input.height,
        input.width,
        input.channels,
        kernel,
        first,
        rows
      )
      multiply(gathered, into: strip, pixelCount: rows * input.width)
      finish.apply(
        to: strip,
        pixelCount: rows * input.width,
        channels: outputChannels,
        residual: operands.count == 2 ? operands[1] + first * input.width * outputChannels : nil,
      )
    }
  }

  private func multiply(
    _ gathered: UnsafePointer<Float>,
    into strip: UnsafeMutablePointer<Float>,
    pixelCount: Int,
  ) {
    cblas_sgemm(
      CblasRowMajor,
      CblasNoTrans,
      CblasNoTrans,
      Int32(pixelCount),
      Int32(outputChannels),
      Int32(depth),
      1,
      gathered,
      Int32(depth),
      weights,
      Int32(outputChannels),
      0,
      strip,
      Int32(outputChannels)
    )
  }
}

extension Convolution {
  /// The weights as a matrix: a row per gathered sample (row, column, input channel), a column per
  /// output channel.
  fileprivate var weightsInGatheringOrder: [Float] {
    let area = kernel * kernel
    var matrix = [Float](repeating: 0, count: weights.count)
    for output in 0..<outputChannels {
      for input in 0..<inputChannels {
        for position in 0..<area {
          matrix[(position * inputChannels + input) * outputChannels + output] =
            weights[(output * inputChannels + input) * area + position]
        }
      }
    }
    return matrix
  }
}

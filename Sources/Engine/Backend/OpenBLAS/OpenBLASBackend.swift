internal import EngineC

/// The portable backend: neighbourhoods gathered into a matrix (im2col) and multiplied by OpenBLAS.
///
/// Slower than oneDNN and independent of it: the second opinion in tests, and the engine of machines
/// without oneDNN.
public struct OpenBLASBackend: Backend {
  /// `openblas`.
  public let name = "openblas"

  /// Single precision.
  public let precision = Precision.float32

  /// No: the order in which a matrix product sums depends on the size of the matrices.
  public func isExactInParts(_: Convolution) -> Bool { false }

  // Once per process, before the first BLAS call.
  private static let configured: Void = enginec_openblas_configure()

  /// Creates the backend and makes OpenBLAS single-threaded in this process.
  public init() {
    Self.configured
  }

  /// Returns a kernel that gathers and multiplies a strip of rows at a time.
  public func kernel(for step: ConvolutionStep) throws(EngineError) -> any Kernel {
    try OpenBLASConvolution(step, backend: self)
  }

  /// A matrix of gathered pixels, and the weights as they are.
  public func memory(of step: ConvolutionStep) -> KernelMemory {
    let (convolution, output) = (step.convolution, step.output)
    let depth = convolution.kernel * convolution.kernel * convolution.inputChannels
    let rowByteCount = output.width * depth * MemoryLayout<Float>.size
    return KernelMemory(
      scratchByteCount: Self.strips(of: step, depth: depth).rows * rowByteCount,
      weightByteCount: convolution.weights.count * MemoryLayout<Float>.size,
    )
  }

  // 1 MiB of gathered pixels: rows enough for the product to be efficient, few enough for the cache.
  fileprivate static func strips(of step: ConvolutionStep, depth: Int) -> Strips {
    Strips(
      height: step.rowCount,
      bytesPerRow: step.output.width * depth * MemoryLayout<Float>.size,
      budget: 1 << 20,
    )
  }

  /// Multiplies by `cblas_sgemm`.
  public func multiply(
    _ product: MatrixProduct,
    _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Float>,
  ) {
    var shape = product.native
    enginec_openblas_gemm(out, a, b, &shape)
  }
}

/// A convolution as the product of gathered pixels (a row each) and weights (a column per channel).
private struct OpenBLASConvolution: Kernel, KernelRunner {
  let backend: OpenBLASBackend
  let gathering: enginec_gathering
  let depth: Int
  let output: Shape
  let weights: [Float]
  let strips: Strips
  let finish: Finish

  init(_ step: ConvolutionStep, backend: OpenBLASBackend) throws(EngineError) {
    let (convolution, input) = (step.convolution, step.input)
    self.backend = backend
    output = step.output
    gathering = enginec_gathering(
      height: input.height,
      width: input.width,
      channels: input.channels,
      kernel: convolution.kernel,
      stride: convolution.stride,
      pad_before: convolution.padding.before,
      out_width: output.width,
    )
    depth = convolution.kernel * convolution.kernel * convolution.inputChannels
    weights = try convolution.weightsInGatheringOrder()
    strips = OpenBLASBackend.strips(of: step, depth: depth)
    finish = Finish(
      bias: convolution.bias,
      activation: convolution.activation,
      residualScale: step.residualScale,
    )
  }

  var scratchByteCount: Int { strips.rows * output.width * depth * MemoryLayout<Float>.size }

  func makeRunner() -> any KernelRunner { self }

  func run(
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
    first row: Int,
    scratch: UnsafeMutableRawPointer,
  ) throws(EngineError) {
    let (gathered, x, out) = (scratch.floats, operands[0].floats, result.floats)
    let channels = output.channels
    try strips.forEach(from: row, in: output) { (first, rows) in
      let start = first * output.width * channels
      withUnsafePointer(to: gathering) { enginec_im2col(gathered, x, $0, first, rows) }
      backend.multiply(
        MatrixProduct(rows: rows * output.width, columns: channels, depth: depth),
        gathered,
        weights,
        into: out + start,
      )
      finish.apply(
        to: out + start,
        pixelCount: rows * output.width,
        channels: channels,
        residual: operands.count == 2 ? operands[1].floats + start : nil,
      )
    }
  }
}

extension Convolution {
  /// The weights as a matrix: a row per gathered sample (row, column, input channel), a column per
  /// output channel.
  fileprivate func weightsInGatheringOrder() throws(EngineError) -> [Float] {
    let weights = try weights.values()
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

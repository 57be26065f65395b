internal import EngineC

/// The default backend: oneDNN, whose kernels are generated at run time for AVX2, AVX-512 and beyond.
public struct OneDNNBackend: Backend {
  /// `onednn`.
  public let name = "onednn"

  /// What convolutions multiply.
  public let precision: Precision

  private let stripBudget: Int

  /// Creates the backend.
  ///
  /// - Parameters:
  ///   - precision: What convolutions multiply.
  ///   - stripBudget: The bytes of output that a convolution produces before bias, activation and
  ///     residual are applied to them. Smaller strips read more of their neighbours' rows again, larger
  ///     ones leave the cache; 2 MiB measured best, and half a MiB for 8-bit samples and with AVX2.
  public init(precision: Precision = .float32, stripBudget: Int = 2 << 20) {
    self.precision = precision
    self.stripBudget = stripBudget
  }

  /// The kernels of the direct convolution sum in one order at every pixel.
  public func isExactInParts(_ convolution: Convolution) -> Bool {
    !Winograd.suits(convolution, precision: precision)
  }

  /// Returns a kernel that is the library's alone: whole layers, and exact sums that nothing is made of.
  func bareKernel(for step: ConvolutionStep) throws(EngineError) -> any Kernel {
    let whole = OneDNNBackend(precision: precision, stripBudget: .max)
    guard case .uint8 = step.inputType else {
      return try whole.convolution(step, weights: step.convolution.weights.values())
    }
    return try OneDNNIntegerConvolution(step, stripRows: whole.stripRows(step), finish: nil)
  }

  /// Returns a kernel of our own where the CPU has AMX, and else one of the library that runs strip by strip.
  ///
  /// oneDNN fuses bias and most activations into direct sums; version 2.6 has no fast PReLU, so that
  /// follows in a pass of our own, as does the residual.
  public func kernel(for step: ConvolutionStep) throws(EngineError) -> any Kernel {
    if AMXConvolution.suits(step, precision: precision) { return try AMXConvolution(step) }
    if case .uint8 = step.inputType {
      return try OneDNNIntegerConvolution(
        step,
        stripRows: stripRows(step),
        finish: SumFinish(step),
      )
    }
    return try convolution(step, weights: step.convolution.weights.values())
  }

  /// Asks for a kernel without weights.
  public func memory(of step: ConvolutionStep) throws(EngineError) -> KernelMemory {
    if AMXConvolution.suits(step, precision: precision) { return AMXConvolution.memory(of: step) }
    let kernel: any OneDNNKernel
    if case .uint8 = step.inputType {
      kernel = try OneDNNIntegerConvolution(step, stripRows: stripRows(step), finish: nil)
    } else {
      kernel = try convolution(step, weights: nil)
    }
    return KernelMemory(
      scratchByteCount: kernel.scratchByteCount,
      weightByteCount: kernel.weightByteCount,
    )
  }

  private func convolution(
    _ step: ConvolutionStep,
    weights: [Float]?,
  ) throws(EngineError) -> any OneDNNKernel {
    if Winograd.suits(step, precision: precision) {
      let fast =
        switch precision {
        case .bfloat16: try? filteredInBFloat16(step, weights: weights)
        case .float32, .int8: try? filtered(step, weights: weights)
        }
      if let fast { return fast }
    }
    return try OneDNNConvolution(
      step,
      algorithm: .direct(precision == .bfloat16 ? .bfloat16 : .float32),
      stripRows: stripRows(step),
      weights: weights,
    )
  }

  // Not every version of the library has it, nor for every CPU.
  private func filtered(
    _ step: ConvolutionStep,
    weights: [Float]?,
  ) throws(EngineError) -> any OneDNNKernel {
    let height = step.rowCount
    let rows = stripBudget == .max ? height : Winograd.stripRows(height: height)
    return try OneDNNConvolution(step, algorithm: .winograd, stripRows: rows, weights: weights)
  }

  private func filteredInBFloat16(
    _ step: ConvolutionStep,
    weights: [Float]?,
  ) throws(EngineError) -> any OneDNNKernel {
    let (width, height) = (step.output.width, step.rowCount)
    let rows =
      stripBudget == .max ? height : Winograd.stripRowsInBFloat16(width: width, height: height)
    return try BFloat16Winograd(step, stripRows: rows, weights: weights)
  }

  // Sums, and what they are read from, stay in the second cache.
  private static let cachedBudget = 512 << 10

  // Only up to 3 × 3 no strip but the first and the last reaches beyond the picture.
  private func stripRows(_ step: ConvolutionStep) -> Int {
    let output = step.output
    let strips = Strips(
      height: step.rowCount,
      bytesPerRow: output.width * output.channels * MemoryLayout<Float>.size,
      budget: step.convolution.kernel <= 3 ? budget(step) : .max,
    )
    return strips.rows
  }

  private func budget(_ step: ConvolutionStep) -> Int {
    guard stripBudget != .max else { return .max }
    if case .uint8 = step.inputType { return min(stripBudget, Self.cachedBudget) }
    let staysInCache = enginec_onednn_wants_blocks() != 0
    return staysInCache ? min(stripBudget, Self.cachedBudget) : stripBudget
  }

  /// Multiplies by `dnnl_sgemm`.
  public func multiply(
    _ product: MatrixProduct,
    _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Float>,
  ) throws(EngineError) {
    var shape = product.native
    let status = enginec_onednn_gemm(out, a, b, &shape)
    guard status == 0 else {
      throw .backend(operation: "a matrix product", reason: "oneDNN status \(status)")
    }
  }
}

/// A convolution that knows what its repacked weights take.
protocol OneDNNKernel: Kernel {
  /// The memory of the repacked weights, in bytes.
  var weightByteCount: Int { get }
}

/// A convolution by oneDNN.
///
/// Without weights it can be measured but not run. Safe to share: the C object never changes after its
/// creation.
private final class OneDNNConvolution: OneDNNKernel, @unchecked Sendable {
  /// How samples and weights are multiplied.
  enum Algorithm: Equatable {
    /// After rounding to a type.
    case direct(SampleType)

    /// In single precision.
    case winograd
  }

  let step: ConvolutionStep
  let strips: Strips
  let finish: Finish
  let stored: StepFactors?
  let native: OpaquePointer

  init(
    _ step: ConvolutionStep,
    algorithm: Algorithm,
    stripRows: Int,
    weights: [Float]?,
  ) throws(EngineError) {
    let convolution = step.convolution
    self.step = step
    finish = algorithm.finish(of: step)
    if case .uint8(let steps) = step.resultType {
      stored = StepFactors(steps)
    } else {
      stored = nil
    }
    var shape = enginec_convolution_shape(step, stripRows: stripRows)
    if case .direct(let type) = algorithm { shape.factor_type = type.native }
    shape.winograd = algorithm == .winograd ? 1 : 0
    if !finish.isEmpty || stored != nil { shape.out_type = enginec_float32 }
    if finish.activation != .none { shape.activation = enginec_activation_none }
    var reason: UnsafePointer<CChar>?
    let created = enginec_convolution_create(&shape, weights, convolution.bias, &reason)
    guard let created else { throw step.refusal(reason) }
    native = created
    strips = Strips(
      height: enginec_convolution_rows(created),
      rows: enginec_convolution_strip_rows(created),
      areEqual: algorithm == .winograd,
    )
  }

  deinit {
    enginec_convolution_destroy(native)
  }

  var weightByteCount: Int { enginec_convolution_weight_bytes(native) }

  /// Whether sums are kept in single precision until they are finished.
  var roundsLast: Bool { step.resultType != .float32 && !finish.isEmpty || stored != nil }

  /// The sums of a strip, when they lie in the scratch memory, before what the library needs.
  var sumByteCount: Int {
    guard roundsLast else { return 0 }
    let count = strips.rows * step.output.width * step.output.channels
    return (count * MemoryLayout<Float>.size).rounded(upTo: 64)
  }

  var scratchByteCount: Int { sumByteCount + enginec_convolution_scratch_bytes(native) }

  func makeRunner() throws(EngineError) -> any KernelRunner {
    OneDNNRunner(convolution: self, library: try OneDNNStripRunner(native))
  }
}

private final class OneDNNRunner: KernelRunner {
  private let convolution: OneDNNConvolution
  private let library: OneDNNStripRunner

  init(convolution: OneDNNConvolution, library: OneDNNStripRunner) {
    self.convolution = convolution
    self.library = library
  }

  func run(
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
    first start: Int,
    scratch: UnsafeMutableRawPointer,
  ) throws(EngineError) {
    let output = convolution.step.output
    let width = output.width
    let rowCount = width * output.channels
    let rowByteCount = rowCount * convolution.step.resultType.byteCount
    let libraryScratch = scratch + convolution.sumByteCount
    try convolution.strips.forEach(from: start, in: output) { (first, rows) throws(EngineError) in
      let strip = result + first * rowByteCount
      let sums = convolution.roundsLast ? scratch : strip
      try library.run(operands[0], into: sums, first: first, rows: rows, scratch: libraryScratch)
      let residual = operands.count == 2 ? operands[1].floats + first * rowCount : nil
      convolution.finish(sums, into: strip, pixelCount: rows * width, residual: residual)
    }
  }
}

extension OneDNNConvolution {
  func finish(
    _ sums: UnsafeMutableRawPointer,
    into strip: UnsafeMutableRawPointer,
    pixelCount: Int,
    residual: UnsafePointer<Float>?,
  ) {
    guard !finish.isEmpty || stored != nil else { return }
    let channels = step.output.channels
    if let stored {
      return finish.apply(
        to: sums.floats,
        storing: stored,
        in: strip.assumingMemoryBound(to: UInt8.self),
        pixelCount: pixelCount,
        channels: channels,
        residual: residual,
      )
    }
    guard roundsLast else {
      return finish.apply(
        to: sums.floats,
        pixelCount: pixelCount,
        channels: channels,
        residual: residual,
      )
    }
    finish.apply(
      to: sums.floats,
      roundingTo: strip.assumingMemoryBound(to: UInt16.self),
      pixelCount: pixelCount,
      channels: channels,
      residual: residual,
    )
  }
}

extension OneDNNConvolution.Algorithm {
  /// What the library leaves to a pass of ours.
  fileprivate func finish(of step: ConvolutionStep) -> Finish {
    var finish = Finish(residualScale: step.residualScale)
    let activation = step.convolution.activation
    if case .prelu = activation { finish.activation = activation }
    if self == .winograd { finish.activation = activation }
    return finish
  }
}

extension ConvolutionStep {
  /// The library's reason, a sentence, as an error.
  func refusal(_ reason: UnsafePointer<CChar>?) -> EngineError {
    .backend(
      operation: "a \(convolution.kernel)×\(convolution.kernel) convolution of \(input)",
      reason: reason.map { String(cString: $0) } ?? "unknown",
    )
  }
}

extension enginec_convolution_shape {
  init(_ step: ConvolutionStep, stripRows: Int) {
    let convolution = step.convolution
    let function = convolution.activation.function
    self.init(
      height: step.input.height,
      width: step.input.width,
      in_channels: convolution.inputChannels,
      out_channels: convolution.outputChannels,
      kernel: convolution.kernel,
      stride: convolution.stride,
      pad_before: convolution.padding.before,
      pad_after: convolution.padding.after,
      rows: step.rowCount,
      strip_rows: stripRows,
      activation: function.code,
      alpha: function.alpha,
      factor_type: enginec_float32,
      x_type: step.inputType.native,
      out_type: step.resultType.native,
      winograd: 0,
    )
  }
}

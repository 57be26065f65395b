internal import EngineC

/// A convolution by our own kernel, which finishes sums before they leave the first cache.
///
/// What lies around the picture is its zero, whichever number stands for it, so that one bias serves
/// all pixels. Safe to share: nothing changes after the creation.
final class DirectConvolution: Kernel, @unchecked Sendable {
  private let shape: enginec_direct_shape
  private let weights: UnsafeMutableRawPointer
  private let zeros: [UInt8]
  private let table: [Float]

  /// Whether the kernel is made for such a step, and for this CPU.
  static func suits(_ step: ConvolutionStep, precision: Precision) -> Bool {
    let convolution = step.convolution
    return convolution.stride == 1 && convolution.activation.isOfStraightLines
      && enginec_direct_suits(step.factorType(precision)) != 0
  }

  /// Packs the weights.
  init(_ step: ConvolutionStep, precision: Precision) throws(EngineError) {
    shape = enginec_direct_shape(step, precision: precision)
    let byteCount = withUnsafePointer(to: shape) { enginec_direct_weight_bytes($0) }
    weights = .allocateSamples(byteCount: byteCount)
    zeros = withUnsafePointer(to: shape) {
      step.zeroPixel(byteCount: enginec_direct_pixel_bytes($0))
    }
    table = withUnsafePointer(to: shape) { step.table(rowCount: enginec_direct_table_row($0)) }
    try pack(step)
  }

  deinit {
    weights.deallocate()
  }

  /// What a kernel for the step takes.
  static func memory(of step: ConvolutionStep, precision: Precision) -> KernelMemory {
    withUnsafePointer(to: enginec_direct_shape(step, precision: precision)) {
      KernelMemory(
        scratchByteCount: enginec_direct_scratch_bytes($0),
        weightByteCount: enginec_direct_weight_bytes($0),
      )
    }
  }

  var scratchByteCount: Int { withUnsafePointer(to: shape) { enginec_direct_scratch_bytes($0) } }

  func makeRunner() -> any KernelRunner { Runner(kernel: self) }

  private func pack(_ step: ConvolutionStep) throws(EngineError) {
    let packed = weights.assumingMemoryBound(to: UInt8.self)
    if case .uint8 = step.inputType {
      return withUnsafePointer(to: shape) {
        enginec_direct_pack(packed, $0, step.integerFactors.weights)
      }
    }
    let values = try step.convolution.weights.values()
    withUnsafePointer(to: shape) { enginec_direct_pack(packed, $0, values) }
  }

  private struct Runner: KernelRunner {
    let kernel: DirectConvolution

    func run(
      _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
      _ result: UnsafeMutableRawPointer,
      scratch: UnsafeMutableRawPointer,
    ) {
      kernel.zeros.withUnsafeBufferPointer { zeros in
        kernel.table.withUnsafeBufferPointer { table in
          var convolution = enginec_direct(
            shape: kernel.shape,
            weights: kernel.weights.assumingMemoryBound(to: UInt8.self),
            zeros: zeros.baseAddress,
            table: table.baseAddress,
            x: operands[0],
            residual: operands.count == 2 ? operands[1] : nil,
            out: result,
          )
          enginec_direct_run(&convolution, scratch)
        }
      }
    }
  }
}

extension enginec_direct_shape {
  fileprivate init(_ step: ConvolutionStep, precision: Precision) {
    let convolution = step.convolution
    self.init(
      height: step.input.height,
      width: step.input.width,
      in_channels: convolution.inputChannels,
      out_channels: convolution.outputChannels,
      kernel: convolution.kernel,
      pad_before: convolution.padding.before,
      pad_after: convolution.padding.after,
      factor_type: step.factorType(precision),
      x_type: step.inputType.native,
      residual_type: step.residualType.native,
      out_type: step.resultType.native,
    )
  }
}

extension ConvolutionStep {
  fileprivate func factorType(_ precision: Precision) -> enginec_sample_type {
    if case .uint8 = inputType { return enginec_uint8 }
    return precision == .bfloat16 ? enginec_bfloat16 : enginec_float32
  }

  /// A pixel of the padding.
  fileprivate func zeroPixel(byteCount: Int) -> [UInt8] {
    guard case .uint8(let steps) = inputType else { return Array(repeating: 0, count: byteCount) }
    return steps.zeros + Array(repeating: 0, count: byteCount - steps.zeros.count)
  }

  /// The kernel's table, its rows filled up to whole vectors.
  fileprivate func table(rowCount: Int) -> [Float] {
    let channels = output.channels
    var scales = [Float](repeating: 1, count: channels)
    var biases = convolution.bias
    if case .uint8 = inputType {
      scales = integerFactors.scales
      biases = Array(convolution.biases(integerFactors).prefix(channels))
    }
    var numbers = FinishTable(self, scales: scales)
    numbers.foldGains(of: convolution.activation, into: &biases)
    // Steps are cut to whole numbers: a half before rounds them.
    let offsets = numbers.offsets.map {
      resultType == .float32 || resultType == .bfloat16 ? $0 : $0 + 0.5
    }
    let negativeScales = zip(numbers.scales, numbers.slopes).map(*)
    let negativeBiases = zip(zip(biases, numbers.slopes).map(*), offsets).map(+)
    biases = zip(biases, offsets).map(+)
    // In the order of enginec_direct_scales and what follows it.
    let rows = [numbers.scales, biases, negativeScales, negativeBiases, numbers.residualScales]
    return rows.flatMap { $0 + Array(repeating: 0, count: rowCount - channels) }
  }
}

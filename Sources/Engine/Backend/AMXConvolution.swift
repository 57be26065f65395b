internal import EngineC

/// A convolution by a kernel of our own for AMX, whose products of whole tiles are so fast that sums must not leave
/// the first cache before they are finished.
///
/// Safe to share: nothing changes after the creation.
final class AMXConvolution: Kernel, @unchecked Sendable {
  private let step: ConvolutionStep
  private let shape: enginec_amx_shape
  private let finish: Finishing
  private let weights: UnsafeMutableRawPointer

  /// What follows the sums.
  private enum Finishing {
    case bytes(SumFinish)
    case halves(Finish)
  }

  /// Whether the CPU has AMX, and the kernel is made for such a step.
  static func suits(_ step: ConvolutionStep, precision: Precision) -> Bool {
    guard step.isPossible(in: precision) else { return false }
    return withUnsafePointer(to: enginec_amx_shape(step)) { enginec_amx_suits($0) != 0 }
  }

  /// What a kernel for the step takes.
  static func memory(of step: ConvolutionStep) -> KernelMemory {
    withUnsafePointer(to: enginec_amx_shape(step)) {
      KernelMemory(
        scratchByteCount: enginec_amx_scratch_bytes($0),
        weightByteCount: enginec_amx_weight_bytes($0),
      )
    }
  }

  /// Packs the weights.
  init(_ step: ConvolutionStep) throws(EngineError) {
    self.step = step
    shape = enginec_amx_shape(step)
    weights = .allocateSamples(byteCount: Self.memory(of: step).weightByteCount)
    if case .uint8 = step.inputType {
      finish = .bytes(SumFinish(step))
      pack(step.integerFactors.weights)
    } else {
      let convolution = step.convolution
      finish = .halves(
        Finish(
          bias: convolution.bias,
          activation: convolution.activation,
          residualScale: step.residualScale,
        )
      )
      pack(try convolution.weights.values())
    }
  }

  deinit {
    weights.deallocate()
  }

  var scratchByteCount: Int { Self.memory(of: step).scratchByteCount }

  func makeRunner() -> any KernelRunner { Runner(convolution: self) }

  private func pack(_ values: UnsafeRawPointer) {
    withUnsafePointer(to: shape) {
      enginec_amx_pack(weights.assumingMemoryBound(to: UInt8.self), $0, values)
    }
  }

  private struct Runner: KernelRunner {
    let convolution: AMXConvolution

    func run(
      _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
      _ result: UnsafeMutableRawPointer,
      first: Int,
      scratch: UnsafeMutableRawPointer,
    ) {
      let step = convolution.step
      let first = min(first, step.output.height - step.rowCount)
      var native = enginec_amx()
      native.shape = convolution.shape
      native.weights = UnsafePointer(convolution.weights.assumingMemoryBound(to: UInt8.self))
      native.x = operands[0]
      convolution.withFinish(result, residual: operands.count == 2 ? operands[1] : nil, &native) {
        enginec_amx_run($0, first, step.rowCount, scratch)
      }
    }
  }

  private func withFinish(
    _ result: UnsafeMutableRawPointer,
    residual: UnsafeRawPointer?,
    _ native: inout enginec_amx,
    _ body: (UnsafePointer<enginec_amx>) -> Void,
  ) {
    switch finish {
    case .bytes(let finish):
      finish.withNative(result, residual: residual) {
        native.of_bytes = $0
        body(&native)
      }
    case .halves(let finish):
      let channels = step.output.channels
      finish.withNative(result, of: step.resultType, channels: channels, residual: residual?.floats)
      {
        native.of_halves = $0
        body(&native)
      }
    }
  }
}

extension enginec_amx_shape {
  fileprivate init(_ step: ConvolutionStep) {
    self.init(
      in_channels: step.convolution.inputChannels,
      out_channels: step.convolution.outputChannels,
      type: step.inputType.multiplied,
      x_type: step.inputType.native,
      edges: enginec_edges(step),
    )
  }
}

extension ConvolutionStep {
  /// Whether samples are multiplied in 8 bits or in bfloat16, and what is read and written beside them has a type
  /// that goes with that.
  fileprivate func isPossible(in precision: Precision) -> Bool {
    if case .uint8 = inputType { return resultType != .bfloat16 && residualType != .bfloat16 }
    if case .uint8 = resultType { return false }
    return precision == .bfloat16 && residualType == .float32
  }
}

extension SampleType {
  /// What such samples are multiplied as.
  fileprivate var multiplied: enginec_sample_type {
    if case .uint8 = self { return enginec_uint8 }
    return enginec_bfloat16
  }
}

internal import EngineC

/// The default backend: oneDNN, whose kernels are generated at run time for AVX2, AVX-512 and beyond.
public struct OneDNNBackend: Backend {
  /// `onednn`.
  public let name = "onednn"

  private let precision: Precision
  private let stripBudget: Int

  /// Creates the backend.
  ///
  /// - Parameters:
  ///   - precision: What convolutions multiply.
  ///   - stripBudget: The bytes of output that a convolution produces before bias, activation and
  ///     residual are applied to them. Smaller strips read more of their neighbours' rows again, larger
  ///     ones leave the cache; 2 MiB measured best.
  public init(precision: Precision = .float32, stripBudget: Int = 2 << 20) {
    self.precision = precision
    self.stripBudget = stripBudget
  }

  /// The same backend without strips.
  var wholeLayers: OneDNNBackend { OneDNNBackend(precision: precision, stripBudget: .max) }

  /// Returns a kernel that runs strip by strip.
  ///
  /// oneDNN fuses bias and most activations itself; version 2.6 has no fast PReLU, so that
  /// follows in a pass of our own, as does the residual.
  public func kernel(
    for convolution: Convolution,
    input: Shape,
    residualScale: Float?,
  ) throws(EngineError) -> any Kernel {
    try OneDNNConvolution(
      convolution,
      input: input,
      residualScale: residualScale,
      precision: precision,
      strips: strips(of: convolution, input: input),
      weights: convolution.weights.values(),
    )
  }

  /// Asks the library for a kernel without weights.
  public func memory(
    of convolution: Convolution,
    input: Shape,
  ) throws(EngineError) -> KernelMemory {
    let kernel = try OneDNNConvolution(
      convolution,
      input: input,
      residualScale: nil,
      precision: precision,
      strips: strips(of: convolution, input: input),
      weights: nil,
    )
    return KernelMemory(
      scratchByteCount: kernel.scratchByteCount,
      weightByteCount: enginec_convolution_weight_bytes(kernel.native),
    )
  }

  private func strips(of convolution: Convolution, input: Shape) -> Strips {
    let output = convolution.output(for: input)
    return Strips(
      height: output.height,
      bytesPerRow: output.width * output.channels * MemoryLayout<Float>.size,
      budget: canCut(convolution) ? stripBudget : .max,
    )
  }

  // Only up to 3 × 3 no strip but the first and the last reaches beyond the picture. In bfloat16 oneDNN
  // 2.6 packs weights otherwise for strips of other heights, and runs those that do not suit the packing
  // by its reference implementation, a hundred times slower.
  private func canCut(_ convolution: Convolution) -> Bool {
    convolution.kernel <= 3 && precision == .float32
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

/// A convolution by oneDNN.
///
/// Without weights it can be measured but not run. Safe to share: the C object never changes after its
/// creation.
private final class OneDNNConvolution: Kernel, @unchecked Sendable {
  let output: Shape
  let strips: Strips
  let finish: Finish
  let native: OpaquePointer

  init(
    _ convolution: Convolution,
    input: Shape,
    residualScale: Float?,
    precision: Precision,
    strips: Strips,
    weights: [Float]?,
  ) throws(EngineError) {
    output = convolution.output(for: input)
    self.strips = strips
    var shape = enginec_convolution_shape(convolution, input: input, strips: strips)
    shape.is_bfloat16 = precision == .bfloat16 ? 1 : 0
    var finish = Finish(residualScale: residualScale)
    if case .prelu = convolution.activation {
      finish.activation = convolution.activation
      (shape.activation, shape.alpha) = Activation.none.function
    }
    self.finish = finish
    var reason: UnsafePointer<CChar>?
    let created = enginec_convolution_create(&shape, weights, convolution.bias, &reason)
    guard let created else {
      throw .backend(
        operation: "a \(convolution.kernel)×\(convolution.kernel) convolution of \(input)",
        reason: reason.map { String(cString: $0) } ?? "unknown",
      )
    }
    native = created
  }

  deinit {
    enginec_convolution_destroy(native)
  }

  var scratchByteCount: Int { enginec_convolution_scratch_bytes(native) }

  func makeRunner() throws(EngineError) -> any KernelRunner {
    guard let runner = enginec_convolution_runner_create(native) else {
      throw .backend(operation: "a convolution", reason: "out of memory")
    }
    return OneDNNRunner(convolution: self, native: runner)
  }
}

private final class OneDNNRunner: KernelRunner {
  private let convolution: OneDNNConvolution
  private let native: OpaquePointer

  init(convolution: OneDNNConvolution, native: OpaquePointer) {
    self.convolution = convolution
    self.native = native
  }

  deinit {
    enginec_convolution_runner_destroy(native)
  }

  func run(
    _ operands: UnsafeBufferPointer<UnsafePointer<Float>>,
    _ result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutableRawPointer,
  ) throws(EngineError) {
    let channels = convolution.output.channels
    let width = convolution.output.width
    try convolution.strips.forEach { (first, rows) throws(EngineError) in
      let strip = result + first * width * channels
      let status = enginec_convolution_execute(native, operands[0], strip, first, scratch)
      guard status == 0 else {
        throw .backend(operation: "a convolution", reason: "oneDNN status \(status)")
      }
      guard !convolution.finish.isEmpty else { return }
      convolution.finish.apply(
        to: strip,
        pixelCount: rows * width,
        channels: channels,
        residual: operands.count == 2 ? operands[1] + first * width * channels : nil,
      )
    }
  }
}

extension enginec_convolution_shape {
  fileprivate init(_ convolution: Convolution, input: Shape, strips: Strips) {
    let function = convolution.activation.function
    self.init(
      height: input.height,
      width: input.width,
      in_channels: convolution.inputChannels,
      out_channels: convolution.outputChannels,
      kernel: convolution.kernel,
      stride: convolution.stride,
      pad_before: convolution.padding.before,
      pad_after: convolution.padding.after,
      strip_rows: strips.rows,
      activation: function.code,
      alpha: function.alpha,
      is_bfloat16: 0,
    )
  }
}

internal import EngineC

/// A convolution of 8-bit samples by oneDNN: exact sums of a strip in the scratch memory, and one pass
/// over them while they are in the cache.
///
/// Safe to share: the C object never changes after its creation.
final class OneDNNIntegerConvolution: OneDNNKernel, @unchecked Sendable {
  fileprivate let step: ConvolutionStep
  fileprivate let finish: SumFinish?
  fileprivate let strips: Strips
  fileprivate let native: OpaquePointer

  /// Creates the kernel; without a finish sums stay in the scratch memory.
  init(_ step: ConvolutionStep, stripRows: Int, finish: SumFinish?) throws(EngineError) {
    self.step = step
    self.finish = finish
    var shape = enginec_convolution_shape(step, stripRows: stripRows)
    shape.factor_type = enginec_uint8
    shape.out_type = enginec_int32
    shape.activation = enginec_activation_none
    var reason: UnsafePointer<CChar>?
    let created = enginec_convolution_create(&shape, step.integerFactors.weights, nil, &reason)
    guard let created else { throw step.refusal(reason) }
    native = created
    strips = Strips(
      height: enginec_convolution_rows(created),
      rows: enginec_convolution_strip_rows(created),
    )
  }

  deinit {
    enginec_convolution_destroy(native)
  }

  var weightByteCount: Int { enginec_convolution_weight_bytes(native) }

  /// The sums of a strip, before what the library needs.
  fileprivate var sumByteCount: Int {
    let count = strips.rows * step.output.width * step.output.channels
    return (count * MemoryLayout<Int32>.size).rounded(upTo: 64)
  }

  var scratchByteCount: Int { sumByteCount + enginec_convolution_scratch_bytes(native) }

  func makeRunner() throws(EngineError) -> any KernelRunner {
    Runner(convolution: self, library: try OneDNNStripRunner(native))
  }

  private final class Runner: KernelRunner {
    private let convolution: OneDNNIntegerConvolution
    private let library: OneDNNStripRunner

    init(convolution: OneDNNIntegerConvolution, library: OneDNNStripRunner) {
      self.convolution = convolution
      self.library = library
    }

    func run(
      _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
      _ result: UnsafeMutableRawPointer,
      first start: Int,
      scratch: UnsafeMutableRawPointer,
    ) throws(EngineError) {
      let libraryScratch = scratch + convolution.sumByteCount
      let residual = operands.count == 2 ? operands[1] : nil
      let output = convolution.step.output
      try convolution.strips.forEach(from: start, in: output) { (first, rows) throws(EngineError) in
        try library.run(
          operands[0],
          into: scratch,
          first: first,
          rows: rows,
          scratch: libraryScratch,
        )
        let sums = scratch.assumingMemoryBound(to: Int32.self)
        convolution.finish?.withNative(result, residual: residual) { native in
          withUnsafePointer(to: native) { enginec_finish_sum_rows($0, sums, first, rows) }
        }
      }
    }
  }
}

internal import EngineC

/// A wide 3×3 convolution by Winograd's minimal filtering F(2×2, 3×3): transforms of ours around
/// products of matrices in bfloat16 by oneDNN, 4 per sample instead of 9.
///
/// Without weights it can be measured but not run. Safe to share: the C object never changes after its
/// creation.
final class BFloat16Winograd: OneDNNKernel, @unchecked Sendable {
  fileprivate static let places = 16

  fileprivate let step: ConvolutionStep
  fileprivate let finish: Finish
  fileprivate let strips: Strips
  fileprivate let shape: enginec_winograd_shape
  fileprivate let native: OpaquePointer

  /// The blocks of 2 × 2 pixels in a strip.
  fileprivate let blocks: Int

  init(_ step: ConvolutionStep, stripRows: Int, weights: [Float]?) throws(EngineError) {
    let convolution = step.convolution
    self.step = step
    finish = Finish(
      bias: convolution.bias,
      activation: convolution.activation,
      residualScale: step.residualScale,
    )
    strips = Strips(height: step.rowCount, rows: stripRows, areEqual: true)
    blocks = (stripRows + 1) / 2 * ((step.output.width + 1) / 2)
    shape = enginec_winograd_shape(
      height: step.input.height,
      width: step.input.width,
      in_channels: convolution.inputChannels,
      out_channels: convolution.outputChannels,
      x_type: step.inputType.native,
    )
    var products = enginec_products_shape(
      count: Self.places,
      rows: blocks,
      depth: convolution.inputChannels,
      columns: convolution.outputChannels,
    )
    var reason: UnsafePointer<CChar>?
    let factors = weights.map { convolution.transformed($0) }
    guard let created = enginec_products_create(&products, factors, &reason) else {
      throw step.refusal(reason)
    }
    native = created
  }

  deinit {
    enginec_products_destroy(native)
  }

  var weightByteCount: Int { enginec_products_weight_bytes(native) }

  var scratchByteCount: Int { scratch.byteCount }

  fileprivate var scratch: Scratch {
    let convolution = step.convolution
    return Scratch(
      zeros: convolution.inputChannels * MemoryLayout<Float>.size,
      entered: Self.places * blocks * convolution.inputChannels * MemoryLayout<UInt16>.size,
      products: Self.places * blocks * convolution.outputChannels * MemoryLayout<Float>.size,
      sums: 2 * step.output.width * convolution.outputChannels * MemoryLayout<Float>.size,
      library: enginec_products_scratch_bytes(native),
    )
  }

  func makeRunner() throws(EngineError) -> any KernelRunner {
    guard let runner = enginec_products_runner_create(native) else {
      throw .backend(operation: "a convolution", reason: "out of memory")
    }
    return Runner(convolution: self, native: runner)
  }

  /// What lies in the scratch memory, in bytes, one after the other.
  fileprivate struct Scratch {
    let zeros: Int
    let entered: Int
    let products: Int
    let sums: Int
    let library: Int

    init(zeros: Int, entered: Int, products: Int, sums: Int, library: Int) {
      self.zeros = zeros.rounded(upTo: 64)
      self.entered = entered.rounded(upTo: 64)
      self.products = products.rounded(upTo: 64)
      self.sums = sums.rounded(upTo: 64)
      self.library = library
    }

    var byteCount: Int { zeros + entered + products + sums + library }
  }
}

extension BFloat16Winograd {
  fileprivate final class Runner: KernelRunner {
    private let convolution: BFloat16Winograd
    private let native: OpaquePointer

    init(convolution: BFloat16Winograd, native: OpaquePointer) {
      self.convolution = convolution
      self.native = native
    }

    deinit {
      enginec_products_runner_destroy(native)
    }

    func run(
      _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
      _ result: UnsafeMutableRawPointer,
      first start: Int,
      scratch: UnsafeMutableRawPointer,
    ) throws(EngineError) {
      let layout = convolution.scratch
      let entered = scratch + layout.zeros
      let products = entered + layout.entered
      let sums = products + layout.products
      scratch.initializeMemory(as: UInt8.self, repeating: 0, count: layout.zeros)
      let (strips, output) = (convolution.strips, convolution.step.output)
      try strips.forEach(from: start, in: output) { (first, rows) throws(EngineError) in
        var shape = convolution.shape
        let halves = entered.assumingMemoryBound(to: UInt16.self)
        enginec_winograd_enter(halves, operands[0], &shape, first, rows, scratch)
        let status = enginec_products_execute(native, halves, products.floats, sums + layout.sums)
        guard status == 0 else {
          throw .backend(operation: "a convolution", reason: "oneDNN status \(status)")
        }
        for row in stride(from: 0, to: rows, by: 2) {
          let part = row..<min(row + 2, rows)
          convolution.leave(products.floats, part, of: first, sums.floats, operands, result)
        }
      }
    }
  }

  /// Writes `rows` of the strip that begins with row `first`: those of one row of blocks.
  fileprivate func leave(
    _ products: UnsafePointer<Float>,
    _ rows: Range<Int>,
    of first: Int,
    _ sums: UnsafeMutablePointer<Float>,
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
  ) {
    let (width, channels) = (step.output.width, step.output.channels)
    let start = (first + rows.lowerBound) * width * channels
    let residual = operands.count == 2 ? operands[1].floats + start : nil
    let out = result + start * step.resultType.byteCount
    let rounds = step.resultType != .float32
    let sums = rounds ? sums : out.floats
    let pixelCount = rows.count * width
    var shape = shape
    enginec_winograd_leave(sums, products, &shape, blocks, rows.lowerBound / 2, rows.count)
    guard rounds else {
      return finish.apply(
        to: sums,
        pixelCount: pixelCount,
        channels: channels,
        residual: residual,
      )
    }
    finish.apply(
      to: sums,
      roundingTo: out.assumingMemoryBound(to: UInt16.self),
      pixelCount: pixelCount,
      channels: channels,
      residual: residual,
    )
  }
}

extension Convolution {
  /// The weights (output, input, 3, 3) as factors (place, input, output).
  fileprivate func transformed(_ weights: [Float]) -> [Float] {
    let count = BFloat16Winograd.places * inputChannels * outputChannels
    return [Float](unsafeUninitializedCapacity: count) { factors, filled in
      guard let start = factors.baseAddress else { return }
      enginec_winograd_weights(start, weights, outputChannels, inputChannels)
      filled = count
    }
  }
}

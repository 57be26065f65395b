internal import EngineC

extension WindowAttention {
  /// Window after window, head after head, in a scratch memory that stays in the cache.
  func kernel(_ qkv: Shape, resultType: SampleType) -> any Kernel {
    let shape = enginec_window_attention_shape(
      height: qkv.height,
      width: qkv.width,
      channels: qkv.channels / 3,
      heads: heads,
      window: window,
      shift: shift,
      out_type: resultType.native,
    )
    let bias = pairBias
    let scratch = withUnsafePointer(to: shape) { enginec_window_attention_scratch($0) }
    return PlainKernel(scratchByteCount: scratch * MemoryLayout<Float>.size) {
      operands,
      result,
      scratch in
      withUnsafePointer(to: shape) {
        enginec_window_attention(result, operands[0].floats, $0, bias, scratch.floats)
      }
    }
  }
}

/// Attention over all pixels, some queries and some keys at a time.
///
/// The matrix of all scores, quadratic in the number of pixels, never exists: after each block of keys
/// the results so far are moved to the new maximum of their row (online softmax).
struct AttentionKernel: Kernel, KernelRunner {
  // Blocks of this size keep scores, queries and results in the second cache, and are large enough
  // for products at full rate.
  private static let queryBlock = 128
  private static let keyBlock = 512

  private let pixelCount: Int
  private let channels: Int
  private let resultType: SampleType
  private let backend: any Backend

  init(_ x: Shape, resultType: SampleType, backend: any Backend) {
    pixelCount = x.pixelCount
    channels = x.channels
    self.resultType = resultType
    self.backend = backend
  }

  private var queryBlock: Int { min(Self.queryBlock, pixelCount) }
  private var keyBlock: Int { min(Self.keyBlock, pixelCount) }

  // Scores, two numbers per query, and results.
  var scratchByteCount: Int { queryBlock * (keyBlock + 2 + channels) * MemoryLayout<Float>.size }

  func makeRunner() -> any KernelRunner { self }

  func run(
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
    first: Int,
    scratch: UnsafeMutableRawPointer,
  ) throws(EngineError) {
    let rounded = scratch.floats + queryBlock * (keyBlock + 2)
    for first in stride(from: 0, to: pixelCount, by: queryBlock) {
      let rows = min(queryBlock, pixelCount - first)
      let out = result + first * channels * resultType.byteCount
      let sums = resultType == .float32 ? out.floats : rounded
      try attend(
        operands[0].floats + first * channels,
        rows: rows,
        keys: operands[1].floats,
        values: operands[2].floats,
        sums,
        scratch.floats,
      )
      if resultType == .bfloat16 {
        enginec_to_bfloat16(out.assumingMemoryBound(to: UInt16.self), sums, rows * channels)
      }
    }
  }

  private func attend(
    _ queries: UnsafePointer<Float>,
    rows: Int,
    keys: UnsafePointer<Float>,
    values: UnsafePointer<Float>,
    _ result: UnsafeMutablePointer<Float>,
    _ scores: UnsafeMutablePointer<Float>,
  ) throws(EngineError) {
    let maxima = scores + queryBlock * keyBlock
    let sums = maxima + queryBlock
    result.update(repeating: 0, count: rows * channels)
    maxima.update(repeating: -.greatestFiniteMagnitude, count: rows)
    sums.update(repeating: 0, count: rows)
    for first in stride(from: 0, to: pixelCount, by: keyBlock) {
      let count = min(keyBlock, pixelCount - first)
      var product = MatrixProduct(rows: rows, columns: count, depth: channels)
      product.scale = 1 / Float(channels).squareRoot()
      product.transposesB = true
      try backend.multiply(product, queries, keys + first * channels, into: scores)
      enginec_softmax_step(scores, rows, count, maxima, sums, result, channels)
      product = MatrixProduct(rows: rows, columns: channels, depth: count)
      product.accumulates = true
      try backend.multiply(product, scores, values + first * channels, into: result)
    }
    enginec_softmax_end(result, rows, channels, sums)
  }
}

/// Samples of a network in NHWC order with batch 1: dense `Float`, pixel after pixel, row after row.
///
/// Sample (y, x, c) lies at index `(y * width + x) * channels + c`. The memory starts on a 64-byte
/// boundary, and 64 bytes more than the samples need are allocated. A class because programs on several
/// threads read one tensor; it is safe because nobody writes while others read.
public final class Tensor: @unchecked Sendable {
  /// The size of the tensor.
  public let shape: Shape

  /// The samples; valid while the tensor lives.
  public let samples: UnsafeMutableBufferPointer<Float>

  /// Creates a tensor of zeros.
  public init(shape: Shape) {
    self.shape = shape
    let memory = UnsafeMutableRawPointer.allocateSamples(
      byteCount: shape.count * MemoryLayout<Float>.size + 64
    )
    let first = memory.bindMemory(to: Float.self, capacity: shape.count)
    first.initialize(repeating: 0, count: shape.count)
    samples = UnsafeMutableBufferPointer(start: first, count: shape.count)
  }

  /// Creates a tensor from samples in NHWC order.
  public convenience init(shape: Shape, samples: [Float]) {
    precondition(samples.count == shape.count, "as many samples as the shape has")
    self.init(shape: shape)
    _ = self.samples.update(fromContentsOf: samples)
  }

  deinit {
    UnsafeMutableRawPointer(pointer).deallocate()
  }

  /// The first sample.
  public var pointer: UnsafeMutablePointer<Float> {
    // Never nil: a shape has at least one sample.
    samples.baseAddress.unsafelyUnwrapped
  }
}

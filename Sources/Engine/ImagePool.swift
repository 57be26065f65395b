/// Hands out images of one size and recycles their memory.
///
/// A run over a video allocates its pictures once: later frames use the memory of finished ones.
/// Safe to use from any thread.
public final class ImagePool: Sendable {
  /// Columns of every image from this pool.
  public let width: Int

  /// Rows of every image from this pool.
  public let height: Int

  private let free = Monitor<[UnsafeMutableRawPointer]>([])

  /// Creates an empty pool.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  deinit {
    free.withLock { $0.forEach { $0.deallocate() } }
  }

  /// Returns an image with undefined contents, in recycled memory when there is some.
  public func image() -> Image {
    let storage =
      free.withLock { $0.popLast() }
      ?? Image.allocate(stride: Image.stride(width: width), height: height)
    return Image(width: width, height: height, storage: storage, pool: self)
  }

  func recycle(_ storage: UnsafeMutableRawPointer) {
    free.withLock { $0.append(storage) }
  }
}

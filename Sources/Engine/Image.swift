internal import Glibc

/// A picture as planar RGB: three planes of `Float`, red first.
///
/// Samples are nominally 0…1 (R'G'B', full range); values outside are legal and are kept. Every plane
/// starts on a 64-byte boundary and every row is `stride` floats long, a multiple of 16, so that
/// kernels may use whole vector registers. The contents of a new image are undefined.
///
/// A class because tiles of one image are written by several threads. Sharing is safe when the
/// writers' rectangles are disjoint and nobody reads before all have finished, which is what
/// ``PendingImage`` guarantees.
public final class Image: @unchecked Sendable {
  /// The number of planes.
  public static let planeCount = 3

  /// Columns of the picture in pixels.
  public let width: Int

  /// Rows of the picture in pixels.
  public let height: Int

  /// The distance from one row to the next in floats; at least `width`.
  public let stride: Int

  private let storage: UnsafeMutableRawPointer
  private let pool: ImagePool?

  /// Creates an image with undefined contents.
  public convenience init(width: Int, height: Int) {
    let stride = Image.stride(width: width)
    self.init(
      width: width,
      height: height,
      storage: Image.allocate(stride: stride, height: height),
      pool: nil,
    )
  }

  init(
    width: Int,
    height: Int,
    storage: UnsafeMutableRawPointer,
    pool: ImagePool?,
  ) {
    self.width = width
    self.height = height
    self.stride = Image.stride(width: width)
    self.storage = storage
    self.pool = pool
  }

  deinit {
    guard let pool else { return storage.deallocate() }
    pool.recycle(storage)
  }

  /// The bytes that an image of this size occupies.
  public static func byteCount(width: Int, height: Int) -> Int {
    planeCount * stride(width: width) * height * MemoryLayout<Float>.size
  }

  /// The first sample of plane 0 (red), 1 (green) or 2 (blue); valid while the image lives.
  public func plane(_ index: Int) -> UnsafeMutablePointer<Float> {
    precondition((0..<Image.planeCount).contains(index), "an image has three planes")
    return storage.assumingMemoryBound(to: Float.self) + index * stride * height
  }

  /// Whether another picture has the same size and the same bits in every sample.
  public func hasSameSamples(as other: Image) -> Bool {
    guard width == other.width, height == other.height else { return false }
    return hasSameSamples(as: other, in: PixelRect(x: 0, y: 0, width: width, height: height))
  }

  /// Whether no sample of another picture differs by more than `tolerance`, in units of 0…1; never for
  /// pictures of another size.
  public func hasSameSamples(as other: Image, within tolerance: Float) -> Bool {
    guard tolerance > 0 else { return hasSameSamples(as: other) }
    guard width == other.width, height == other.height else { return false }
    return (0..<Image.planeCount).allSatisfy { index in
      let (mine, theirs) = (plane(index), other.plane(index))
      return (0..<height).allSatisfy { row in
        let columns = (row * stride)..<(row * stride + width)
        return columns.allSatisfy { abs(mine[$0] - theirs[$0]) <= tolerance }
      }
    }
  }

  /// Whether a window shows the same bits in another picture of this size; what lies beyond the right and
  /// lower edges is not looked at.
  func hasSameSamples(as other: Image, in window: PixelRect) -> Bool {
    let columns = min(window.width, width - window.x)
    let rows = window.y..<min(window.y + window.height, height)
    return (0..<Image.planeCount).allSatisfy { index in
      let (mine, theirs) = (plane(index) + window.x, other.plane(index) + window.x)
      return rows.allSatisfy { row in
        let start = row * stride
        return memcmp(mine + start, theirs + start, columns * MemoryLayout<Float>.size) == 0
      }
    }
  }

  /// Copies another picture of this size except in some rectangles.
  func copy(_ other: Image, except rects: [PixelRect]) {
    let rects = rects.sorted { $0.x < $1.x }
    for row in 0..<height {
      var column = 0
      for rect in rects where (rect.y..<(rect.y + rect.height)).contains(row) {
        copy(other, row: row, columns: column..<max(column, rect.x))
        column = max(column, rect.x + rect.width)
      }
      copy(other, row: row, columns: column..<width)
    }
  }

  private func copy(_ other: Image, row: Int, columns: Range<Int>) {
    for index in 0..<Image.planeCount {
      let start = row * stride + columns.lowerBound
      (plane(index) + start).update(from: other.plane(index) + start, count: columns.count)
    }
  }

  // 16 floats: one AVX-512 register, and FFmpeg's and zimg's own row alignment of 64 bytes.
  static func stride(width: Int) -> Int {
    precondition(width > 0, "an image has at least one column")
    return (width + 15) / 16 * 16
  }

  static func allocate(stride: Int, height: Int) -> UnsafeMutableRawPointer {
    precondition(height > 0, "an image has at least one row")
    return .allocateSamples(byteCount: planeCount * stride * height * MemoryLayout<Float>.size)
  }
}

/// The size of a tensor: one picture of `height` × `width` pixels with `channels` samples each.
public struct Shape: Hashable, Sendable {
  /// Rows.
  public var height: Int

  /// Columns.
  public var width: Int

  /// Samples per pixel.
  public var channels: Int

  /// Creates a shape; every side is at least 1.
  public init(height: Int, width: Int, channels: Int) {
    precondition(height > 0 && width > 0 && channels > 0, "a tensor has at least one sample")
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// The number of pixels.
  public var pixelCount: Int { height * width }

  /// The number of samples.
  public var count: Int { pixelCount * channels }
}

extension Shape: CustomStringConvertible {
  /// Height, width and channels, as in `180×320×48`.
  public var description: String { "\(height)×\(width)×\(channels)" }
}

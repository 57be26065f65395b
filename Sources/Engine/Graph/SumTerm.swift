/// What one operand adds to a sum.
public struct SumTerm: Hashable, Sendable {
  /// A way to make a picture larger by an integer factor.
  public enum Enlargement: Hashable, Sendable {
    /// PyTorch's `pixel_shuffle`.
    case pixelShuffle

    /// PyTorch's `interpolate(mode="nearest")`.
    case nearest

    /// PyTorch's `interpolate(mode="bicubic", align_corners=False, antialias=False)` (a = −0.75).
    case bicubic
  }

  /// What the operand is multiplied by.
  public let weight: Float

  /// How the operand becomes as large as the sum; nil if it is so already.
  public let enlargement: Enlargement?
}

internal import EngineC

/// Where Winograd's minimal filtering replaces the direct sums of a 3 × 3 convolution (Lavin and Gray, "Fast
/// Algorithms for Convolutional Neural Networks", 2016).
///
/// In single precision it is F(4×4, 3×3) by oneDNN: a quarter of the products, but weights four times
/// as large. In bfloat16 it is F(2×2, 3×3), whose factors are small enough for 8 bits of mantissa: four
/// ninths of the products. Both give a result that depends in its last bits on where the blocks lie.
enum Winograd {
  // Compact networks are faster so too, from 48 channels on, but only direct sums give a patch of a picture
  // the very bits of the whole, and these networks are the ones that reuse what has not changed.
  private static let leastChannels = 96

  // With fewer pixels reading the larger weights takes longer than the products that they save.
  private static let leastPixels = 64 * 64
  private static let leastPixelsInBFloat16 = 16 * 16

  // Blocks of 2 × 2 pixels in a strip, about: factors are read once per strip.
  private static let stripBlocks = 256

  /// Whether a convolution of this kind may be computed so, in some picture.
  static func suits(_ convolution: Convolution, precision: Precision) -> Bool {
    let channels = [convolution.inputChannels, convolution.outputChannels]
    return convolution.kernel == 3 && convolution.stride == 1
      && convolution.padding.before == 1 && convolution.padding.after == 1
      && channels.allSatisfy { $0 % 16 == 0 && $0 >= leastChannels }
      && !(precision == .bfloat16 && multipliesTiles)
  }

  /// Whether it pays in this picture.
  static func suits(_ step: ConvolutionStep, precision: Precision) -> Bool {
    let least = precision == .bfloat16 ? leastPixelsInBFloat16 : leastPixels
    return step.output.pixelCount >= least && suits(step.convolution, precision: precision)
  }

  /// Whether the CPU multiplies so many bfloat16 at once (AMX) that transforms could save nothing.
  static let multipliesTiles = enginec_has_tiles() != 0

  /// The rows of equal strips about 32 rows high, whole blocks of 4, that overlap least: 32 measured best.
  static func stripRows(height: Int) -> Int {
    let sizes = stride(from: 32, through: 48, by: 4)
    let best = sizes.min { $0.overlap(in: height) < $1.overlap(in: height) } ?? 32
    return min(best, height)
  }

  /// The rows of equal strips of whole blocks of 2.
  static func stripRowsInBFloat16(width: Int, height: Int) -> Int {
    let most = max(1, 2 * stripBlocks / width)
    let strips = (height + 2 * most - 1) / (2 * most)
    return min(height, ((height + strips - 1) / strips).rounded(upTo: 2))
  }
}

extension Int {
  /// The rows that strips of this many rows compute twice.
  fileprivate func overlap(in height: Int) -> Int { (height + self - 1) / self * self - height }
}

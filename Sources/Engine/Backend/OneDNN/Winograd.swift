/// Where Winograd's minimal filtering F(4×4, 3×3) replaces the direct sums (Lavin and Gray, "Fast Algorithms for
/// Convolutional Neural Networks", 2016).
///
/// It needs a quarter of the products, in single precision, but weights four times as large, and a
/// result that depends in its last bits on where the 4 × 4 blocks lie.
enum Winograd {
  // Compact networks are faster so too, from 48 channels on, but only direct sums give a patch of a picture
  // the very bits of the whole, and these networks are the ones that reuse what has not changed.
  private static let leastChannels = 96

  // Against products of 8-bit mantissas, twice as fast as single ones.
  private static let leastChannelsInBFloat16 = 160

  // With fewer pixels reading the larger weights takes longer than the products that they save.
  private static let leastPixels = 64 * 64

  /// Whether a convolution of this kind may be computed so, in some picture.
  static func suits(_ convolution: Convolution, precision: Precision) -> Bool {
    let channels = [convolution.inputChannels, convolution.outputChannels]
    let least = precision == .bfloat16 ? leastChannelsInBFloat16 : leastChannels
    return convolution.kernel == 3 && convolution.stride == 1
      && convolution.padding.before == 1 && convolution.padding.after == 1
      && channels.allSatisfy { $0 % 16 == 0 && $0 >= least }
  }

  /// Whether it pays in this picture.
  static func suits(_ step: ConvolutionStep, precision: Precision) -> Bool {
    step.output.pixelCount >= leastPixels && suits(step.convolution, precision: precision)
  }

  /// The rows of equal strips about 32 rows high, whole blocks of 4, that overlap least: 32 measured best.
  static func stripRows(height: Int) -> Int {
    let sizes = stride(from: 32, through: 48, by: 4)
    let best = sizes.min { $0.overlap(in: height) < $1.overlap(in: height) } ?? 32
    return min(best, height)
  }
}

extension Int {
  /// The rows that strips of this many rows compute twice.
  fileprivate func overlap(in height: Int) -> Int { (height + self - 1) / self * self - height }
}

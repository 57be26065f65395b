/// How far results may be apart, and why.
enum Tolerance {
  /// Sums of a few hundred to a few thousand products in another order, for samples around 1.
  static let float32Accumulation: Float = 2e-5

  /// The same through Winograd's transforms F(4×4, 3×3), whose factors are up to 8.
  static let winograd: Float = 1e-4

  /// `expf` and `erff` of different libraries.
  static let transcendental: Float = 5e-5

  /// Factors with 8 bits of mantissa, in sums of products around 1.
  static let bfloat16: Float = 2e-2

  /// A whole network of 14 layers against PyTorch, in −1…1.
  static let network: Float = 1e-3

  /// The same for networks of other authors, as a part of the range of the output.
  static let publishedNetwork: Float = 1e-4

  /// A picture computed in tiles against the same in one piece, in 0…1.
  static let tiling: Float = 1e-5
}

/// The largest absolute difference; infinite when the counts differ or a sample is NaN.
func maximumDifference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}

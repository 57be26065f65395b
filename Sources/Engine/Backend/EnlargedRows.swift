internal import EngineC

/// A picture made larger, the rows that one row of the small picture becomes at a time.
struct EnlargedRows: Sendable {
  private let enlargement: SumTerm.Enlargement
  private let small: Shape
  private let factor: Int
  private let shape: enginec_enlargement
  private let cubicWeights: [Float]

  /// The samples of these rows.
  let count: Int

  /// The floats of temporary memory.
  let scratchCount: Int

  init(_ enlargement: SumTerm.Enlargement, _ small: Shape, factor: Int) {
    self.enlargement = enlargement
    self.small = small
    self.factor = factor
    let rowCount = small.width * small.channels
    count = enlargement == .pixelShuffle ? rowCount : rowCount * factor * factor
    shape = enginec_enlargement(
      height: small.height,
      width: small.width,
      channels: small.channels,
      factor: factor,
    )
    (cubicWeights, scratchCount) = enlargement == .bicubic ? shape.cubic : ([], 0)
  }

  /// Makes the rows that `row` becomes of the small picture `x`.
  func make(
    _ row: Int,
    of x: UnsafePointer<Float>,
    in result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>,
  ) {
    let source = x + row * small.width * small.channels
    switch enlargement {
    case .pixelShuffle:
      enginec_pixel_shuffle(result, source, 1, small.width, small.channels, factor)
    case .nearest:
      enginec_nearest(result, source, 1, small.width, small.channels, factor)
    case .bicubic:
      withUnsafePointer(to: shape) {
        enginec_bicubic_rows(result, x, $0, row, cubicWeights, scratch)
      }
    }
  }
}

extension enginec_enlargement {
  /// The weights of the bicubic kernel, and the floats of temporary memory that it takes.
  fileprivate var cubic: (weights: [Float], scratchCount: Int) {
    withUnsafePointer(to: self) { shape in
      var weights = [Float](repeating: 0, count: enginec_bicubic_weight_count(shape))
      enginec_bicubic_weights(&weights, shape)
      return (weights, enginec_bicubic_scratch(shape))
    }
  }
}

internal import EngineC

/// A sum of pictures of one size, some of which are made larger on the way, a few rows at a time.
struct RowSum: Sendable {
  private let weights: [Float]
  private let enlarged: [EnlargedRows?]

  // What enlarging one term takes; the terms' rows come after it.
  private let temporaryCount: Int

  /// The samples that are summed at a time.
  let count: Int

  /// The floats of temporary memory.
  var scratchCount: Int { temporaryCount + enlarged.count { $0 != nil } * count }

  /// Sums `factor` rows of the shape `sum`, of operands of these shapes.
  init(_ terms: [SumTerm], _ operands: [Shape], _ sum: Shape, factor: Int) {
    weights = terms.map(\.weight)
    enlarged = zip(terms, operands).map { term, shape in
      term.enlargement.map { EnlargedRows($0, shape, factor: factor) }
    }
    count = sum.width * sum.channels * factor
    let most = enlarged.compactMap { $0?.scratchCount }.max() ?? 0
    temporaryCount = (most + 15) / 16 * 16
  }

  /// Makes the rows that `row` of the small pictures becomes.
  func make(
    _ row: Int,
    of operands: UnsafeBufferPointer<UnsafeRawPointer>,
    in result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>,
  ) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: weights.count) {
      terms in
      var free = scratch + temporaryCount
      for (index, rows) in enlarged.enumerated() {
        guard let rows else {
          terms.initializeElement(at: index, to: operands[index].floats + row * count)
          continue
        }
        rows.make(row, of: operands[index].floats, in: free, scratch: scratch)
        terms.initializeElement(at: index, to: UnsafePointer(free))
        free += count
      }
      enginec_weighted_sum(result, count, weights.count, terms.baseAddress, weights)
    }
  }
}

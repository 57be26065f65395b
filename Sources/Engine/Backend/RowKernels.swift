internal import EngineC

// Kernels that do several operations of a graph, one row of the small picture at a time: what lies between
// the operations stays in the cache.

/// Sums pictures, one of which, of `small`'s shape, is shuffled on the way; gives `rows` rows of it.
func weightedSum(
  _ weights: [Float],
  shuffling place: Int,
  _ small: Shape,
  factor: Int,
  rows: Int,
) -> RowKernel {
  let count = small.width * small.channels
  return RowKernel(
    height: factor,
    rows: rows,
    scratchByteCount: count * MemoryLayout<Float>.size,
  ) { operands, result, row, scratch in
    let first = row * count
    let source = operands[place].floats + first
    enginec_pixel_shuffle(scratch.floats, source, 1, small.width, small.channels, factor)
    weightedSum(weights, operands, from: first, count: count, into: result.floats + first) {
      $0[place] = UnsafePointer(scratch.floats)
    }
  }
}

/// Sums pictures of `large`'s shape, unshuffles the sum and joins it with other pictures; gives `rows` rows.
func concatenation(
  _ concatenation: Concatenation,
  afterSum weights: [Float],
  _ large: Shape,
  factor: Int,
  rows: Int,
) -> RowKernel {
  let count = large.width * large.channels * factor
  let width = large.width / factor
  return RowKernel(
    height: 1,
    rows: rows,
    scratchByteCount: 2 * count * MemoryLayout<Float>.size,
  ) { operands, result, row, scratch in
    let (sum, unshuffled) = (scratch.floats, scratch.floats + count)
    weightedSum(weights, operands, from: row * count, count: count, into: sum) { _ in }
    enginec_pixel_unshuffle(unshuffled, sum, factor, large.width, large.channels, factor)
    let pixels = result + row * width * concatenation.pixelByteCount
    concatenation.place(0, unshuffled, pixelCount: width, in: pixels)
    for (part, source) in zip(1..., operands.dropFirst(weights.count)) {
      let first = source + row * width * concatenation.pixelByteCount(part)
      concatenation.place(part, first, pixelCount: width, in: pixels)
    }
  }
}

/// Sums a part of the pictures; `change` may put another term in the place of one.
private func weightedSum(
  _ weights: [Float],
  _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
  from first: Int,
  count: Int,
  into result: UnsafeMutablePointer<Float>,
  change: (UnsafeMutableBufferPointer<UnsafePointer<Float>?>) -> Void,
) {
  withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: weights.count) { terms in
    for index in weights.indices {
      terms.initializeElement(at: index, to: operands[index].floats + first)
    }
    change(terms)
    enginec_weighted_sum(result, count, weights.count, terms.baseAddress, weights)
  }
}

internal import EngineC

// Kernels that make a few rows at a time: what lies between the operations that they consist of stays in the
// cache.

/// Makes a picture larger; gives `rows` rows of it.
func enlargement(
  _ enlargement: SumTerm.Enlargement,
  of small: Shape,
  factor: Int,
  rows: Int,
) -> RowKernel {
  let enlarged = EnlargedRows(enlargement, small, factor: factor)
  return RowKernel(
    height: factor,
    stripeByteCount: enlarged.count * MemoryLayout<Float>.size,
    rows: rows,
    scratchByteCount: enlarged.scratchCount * MemoryLayout<Float>.size,
  ) { operands, result, row, scratch in
    enlarged.make(row, of: operands[0].floats, in: result.floats, scratch: scratch.floats)
  }
}

/// Sums pictures, some of which are made larger by a factor on the way; gives `rows` rows of the sum.
func sum(_ sum: RowSum, factor: Int, rows: Int) -> RowKernel {
  RowKernel(
    height: factor,
    stripeByteCount: sum.count * MemoryLayout<Float>.size,
    rows: rows,
    scratchByteCount: sum.scratchCount * MemoryLayout<Float>.size,
  ) { operands, result, row, scratch in
    sum.make(row, of: operands, in: result.floats, scratch: scratch.floats)
  }
}

/// Unshuffles a sum of pictures of `large`'s shape and joins it with other pictures; gives `rows` rows.
func concatenation(
  _ concatenation: Concatenation,
  after sum: RowSum,
  ofTerms termCount: Int,
  _ large: Shape,
  factor: Int,
  rows: Int,
) -> RowKernel {
  let width = large.width / factor
  return RowKernel(
    height: 1,
    stripeByteCount: width * concatenation.pixelByteCount,
    rows: rows,
    scratchByteCount: (2 * sum.count + sum.scratchCount) * MemoryLayout<Float>.size,
  ) { operands, pixels, row, scratch in
    let (summed, unshuffled) = (scratch.floats, scratch.floats + sum.count)
    sum.make(row, of: operands, in: summed, scratch: unshuffled + sum.count)
    enginec_pixel_unshuffle(unshuffled, summed, factor, large.width, large.channels, factor)
    concatenation.place(0, unshuffled, pixelCount: width, in: pixels)
    for (part, source) in zip(1..., operands.dropFirst(termCount)) {
      let first = source + row * width * concatenation.pixelByteCount(part)
      concatenation.place(part, first, pixelCount: width, in: pixels)
    }
  }
}

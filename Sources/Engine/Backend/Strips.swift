/// How a convolution walks down a picture: strips of rows, so that what follows the sums finds them
/// in the cache.
struct Strips: Sendable {
  /// Rows of all strips.
  let height: Int

  /// Rows of a strip; the last one may be shorter.
  let rows: Int

  /// Whether the last strip is as high as the others, and begins within the one before it.
  let areEqual: Bool

  /// Makes strips of some rows.
  init(height: Int, rows: Int, areEqual: Bool = false) {
    self.height = height
    self.rows = rows
    self.areEqual = areEqual
  }

  /// Makes strips whose rows, of `bytesPerRow` each, stay within the budget in bytes.
  init(height: Int, bytesPerRow: Int, budget: Int) {
    self.init(height: height, rows: min(height, max(1, budget / max(1, bytesPerRow))))
  }

  /// Calls `body` with the first row and the number of rows of each strip, from a row of the picture on, or before
  /// where the picture ends sooner.
  func forEach(
    from start: Int,
    in picture: Shape,
    _ body: (Int, Int) throws(EngineError) -> Void,
  ) throws(EngineError) {
    let start = min(start, picture.height - height)
    for next in stride(from: 0, to: height, by: rows) {
      let first = areEqual ? min(next, height - rows) : next
      try body(start + first, min(rows, height - first))
    }
  }
}

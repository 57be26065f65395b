/// Where two pictures of one size differ, in squares of pixels.
struct ChangedCells {
  /// The side of a square.
  static let side = 8

  private let width: Int
  private let height: Int
  private let columns: Int
  private let rows: Int
  private var areChanged: [Bool]

  /// Compares all samples.
  init(from last: Image, to image: Image) {
    let columns = (image.width + Self.side - 1) / Self.side
    let rows = (image.height + Self.side - 1) / Self.side
    (width, height) = (image.width, image.height)
    self.columns = columns
    self.rows = rows
    areChanged = (0..<(columns * rows)).map { index in
      let (x, y) = (index % columns * Self.side, index / columns * Self.side)
      return !image.hasSameSamples(
        as: last,
        in: PixelRect(x: x, y: y, width: Self.side, height: Self.side),
      )
    }
  }

  /// The pixels of all marked cells.
  var area: Int { areChanged.count(where: \.self) * Self.side * Self.side }

  /// Also marks what lies up to so many pixels beside a marked cell.
  mutating func grow(by pixels: Int) {
    let reach = (pixels + Self.side - 1) / Self.side
    let before = areChanged
    for y in 0..<rows {
      for x in 0..<columns where before[y * columns + x] {
        for row in max(0, y - reach)...min(rows - 1, y + reach) {
          let near = max(0, x - reach)...min(columns - 1, x + reach)
          for column in near { areChanged[row * columns + column] = true }
        }
      }
    }
  }

  /// The upper left pixel for a patch of so many rows: the first marked row of cells, and the first
  /// column of cells that is marked in the rows of the patch.
  func first(rows height: Int) -> (x: Int, y: Int)? {
    guard let index = areChanged.firstIndex(of: true) else { return nil }
    let top = index / columns
    let bottom = min(rows, top + height / Self.side)
    let left = (0..<columns).first { column in
      (top..<max(bottom, top + 1)).contains { areChanged[$0 * columns + column] }
    }
    return left.map { ($0 * Self.side, top * Self.side) }
  }

  /// Takes the marks from all cells that lie in a rectangle.
  mutating func remove(_ rect: PixelRect) {
    let columns = Self.cells(from: rect.x, count: rect.width, of: width)
    for y in Self.cells(from: rect.y, count: rect.height, of: height) {
      for x in columns { areChanged[y * self.columns + x] = false }
    }
  }

  // The cells that lie wholly in a part of a side; the last one may reach beyond the picture.
  private static func cells(from start: Int, count: Int, of length: Int) -> Range<Int> {
    let end = start + count
    let first = (start + side - 1) / side
    return first..<max(first, end == length ? (length + side - 1) / side : end / side)
  }
}

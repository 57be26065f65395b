internal import Engine
internal import FFmpegC

/// How a stored picture has to be turned to be upright: mirrored first or not, then rotated
/// clockwise by a number of quarter turns.
struct Orientation: Hashable, Sendable {
  var quarterTurns: Int
  var isMirrored: Bool

  static let upright = Orientation(quarterTurns: 0, isMirrored: false)

  /// Reads the display matrix of a stream; `nil` if it asks for anything but quarter turns.
  init?(displayMatrix matrix: [Int32]) {
    guard matrix.count == 9 else { return nil }
    // The matrix maps stored (x, y) to shown (ax + cy, bx + dy), in 16.16 fixed point.
    let (a, b, c, d) = (
      matrix[0].signum(), matrix[1].signum(), matrix[3].signum(), matrix[4].signum()
    )
    guard abs(a) + abs(b) == 1, abs(c) + abs(d) == 1, a * d - b * c != 0 else { return nil }
    isMirrored = a * d - b * c < 0
    switch isMirrored ? (-a, -b) : (a, b) {
    case (1, 0): quarterTurns = 0
    case (0, 1): quarterTurns = 1
    case (-1, 0): quarterTurns = 2
    default: quarterTurns = 3
    }
  }

  private init(quarterTurns: Int, isMirrored: Bool) {
    self.quarterTurns = quarterTurns
    self.isMirrored = isMirrored
  }

  /// Whether width and height change places.
  var swapsAxes: Bool { quarterTurns % 2 == 1 }

  /// Writes `source`, turned upright, into `destination`.
  func turn(_ source: Image, into destination: Image) {
    for index in 0..<Image.planeCount {
      let from = unsafe source.plane(index)
      let to = unsafe destination.plane(index)
      for y in 0..<destination.height {
        let (start, step) = walk(row: y, of: source)
        for x in 0..<destination.width {
          unsafe to[y * destination.stride + x] = from[start + x * step]
        }
      }
    }
  }

  // Where the samples of row `y` of the upright picture lie in the stored one.
  private func walk(row y: Int, of source: Image) -> (start: Int, step: Int) {
    let (lastX, lastY) = (source.width - 1, source.height - 1)
    var (x, dx, row, dy): (Int, Int, Int, Int) =
      switch quarterTurns {
      case 0: (0, 1, y, 0)
      case 1: (y, 0, lastY, -1)
      case 2: (lastX, -1, lastY - y, 0)
      default: (lastX - y, 0, 0, 1)
      }
    if isMirrored {
      x = lastX - x
      dx = -dx
    }
    return (row * source.stride + x, dy * source.stride + dx)
  }
}

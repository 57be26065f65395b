internal import Glibc

/// Where places of a stored picture lie in the output's, which is upright and of another size.
///
/// Places are in units of a pixel's side from the upper left corner: pixel 0 reaches from 0 to 1.
struct PictureMap {
  let orientation: Orientation

  /// The size as stored.
  let source: (width: Int, height: Int)

  /// The size of the output's picture.
  let target: (width: Int, height: Int)

  /// Where the place (`x`, `y`) lies.
  func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    let (width, height) = (Double(source.width), Double(source.height))
    let x = orientation.isMirrored ? width - x : x
    let (turned, size) =
      switch orientation.quarterTurns {
      case 0: ((x: x, y: y), (width, height))
      case 1: ((x: height - y, y: x), (height, width))
      case 2: ((x: width - x, y: height - y), (width, height))
      default: ((x: y, y: width - x), (height, width))
      }
    return (turned.x * Double(target.width) / size.0, turned.y * Double(target.height) / size.1)
  }

  /// Half the axes of an ellipse and the angle of the longer one, clockwise from the x axis in degrees
  /// of 0 to 180, of the ellipse that `major`, `minor` and `angle` become.
  func ellipse(
    major: Double,
    minor: Double,
    angle: Double,
  ) -> (major: Double, minor: Double, angle: Double) {
    let (sine, cosine) = (sin(angle * .pi / 180), cos(angle * .pi / 180))
    let first = direction(major * cosine, major * sine)
    let second = direction(-minor * sine, minor * cosine)
    // The squares of the axes are the eigenvalues of the matrix that has these two as columns times its
    // transpose.
    let xx = first.x * first.x + second.x * second.x
    let yy = first.y * first.y + second.y * second.y
    let xy = first.x * first.y + second.x * second.y
    let spread = hypot((xx - yy) / 2, xy)
    let turn = atan2(2 * xy, xx - yy) / 2 * 180 / .pi
    let middle = (xx + yy) / 2
    return (
      (middle + spread).squareRoot(), max(middle - spread, 0).squareRoot(),
      turn < 0 ? turn + 180 : turn
    )
  }

  private func direction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    let (origin, end) = (place(0, 0), place(x, y))
    return (end.x - origin.x, end.y - origin.y)
  }
}

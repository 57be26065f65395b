internal import Engine

/// Gives colour to what is not seen.
///
/// Files store anything there, often black, and every filter that enlarges draws it into the edges of what
/// is seen. So where nothing is seen the colour becomes the mean of what is seen around.
enum TransparentFill {
  // As far as the filters look: three lobes.
  private static let radius = 3

  /// Fills the transparent parts of `image` that lie near others; `alpha` is its transparency.
  static func fill(_ image: Image, where alpha: Image) {
    let (width, height) = (image.width, image.height)
    let opacity = unsafe alpha.plane(0)
    let isHidden = (0..<height).contains { y in
      (0..<width).contains { unsafe opacity[y * alpha.stride + $0] <= 0 }
    }
    guard isHidden else { return }
    let weights = sums(width, height) { x, y in unsafe opacity[y * alpha.stride + x] }
    for index in 0..<Image.planeCount {
      let plane = unsafe image.plane(index)
      let colors = sums(width, height) { x, y in
        unsafe opacity[y * alpha.stride + x] * plane[y * image.stride + x]
      }
      for y in 0..<height {
        for x in 0..<width where unsafe opacity[y * alpha.stride + x] <= 0 {
          let weight = weights[y * width + x]
          // Below that a mean is the quotient of two rounding errors.
          guard weight > 1e-4 else { continue }
          unsafe plane[y * image.stride + x] = colors[y * width + x] / weight
        }
      }
    }
  }

  // The sums of the samples around each one: along the rows first, then along the columns.
  private static func sums(
    _ width: Int,
    _ height: Int,
    _ sample: (_ x: Int, _ y: Int) -> Float,
  ) -> [Float] {
    var rows = [Float](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let near = max(x - radius, 0)...min(x + radius, width - 1)
        rows[y * width + x] = near.reduce(0) { $0 + sample($1, y) }
      }
    }
    var sums = [Float](repeating: 0, count: width * height)
    for y in 0..<height {
      for near in max(y - radius, 0)...min(y + radius, height - 1) {
        for x in 0..<width { sums[y * width + x] += rows[near * width + x] }
      }
    }
    return sums
  }
}

internal import Glibc

extension Image {
  /// A smooth generated picture for measurements; each `phase` is another frame of a slow motion.
  public convenience init(pattern phase: Int, width: Int, height: Int) {
    self.init(width: width, height: height)
    for index in 0..<Image.planeCount {
      let plane = plane(index)
      for y in 0..<height {
        for x in 0..<width {
          let angle = Float(x + 2 * phase) * 0.11 + Float(y) * 0.07 * Float(index + 1)
          plane[y * stride + x] = 0.5 + 0.4 * sinf(angle)
        }
      }
    }
  }
}

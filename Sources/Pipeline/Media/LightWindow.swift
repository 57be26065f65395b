internal import FFmpegC

extension AVHDRPlusColorTransformParams {
  /// The same window where `map` brings it.
  ///
  /// FFmpeg's decoders leave corners in pixels, as streams carry them, not in fractions of the picture as
  /// the declaration says. The lower right corner is the last pixel inside.
  func placed(_ map: PictureMap) -> AVHDRPlusColorTransformParams {
    var result = self
    result.placeCorners(map)
    result.placeEllipses(map)
    return result
  }

  private mutating func placeCorners(_ map: PictureMap) {
    let first = map.place(
      window_upper_left_corner_x.pixels,
      window_upper_left_corner_y.pixels
    )
    let last = map.place(
      window_lower_right_corner_x.pixels + 1,
      window_lower_right_corner_y.pixels + 1
    )
    func corner(_ place: Double, below end: Int) -> AVRational {
      AVRational(num: Int32(clamped(place, to: 0...Double(end - 1))), den: 1)
    }
    let (width, height) = map.target
    window_upper_left_corner_x = corner(min(first.x, last.x), below: width)
    window_upper_left_corner_y = corner(min(first.y, last.y), below: height)
    window_lower_right_corner_x = corner(max(first.x, last.x) - 1, below: width)
    window_lower_right_corner_y = corner(max(first.y, last.y) - 1, below: height)
  }

  private mutating func placeEllipses(_ map: PictureMap) {
    // Centres are those of pixels.
    let center = map.place(Double(center_of_ellipse_x) + 0.5, Double(center_of_ellipse_y) + 0.5)
    center_of_ellipse_x = UInt16(clamped(center.x - 0.5, to: 0...65_535))
    center_of_ellipse_y = UInt16(clamped(center.y - 0.5, to: 0...65_535))
    let major = Double(semimajor_axis_external_ellipse)
    let outer = map.ellipse(
      major: major,
      minor: Double(semiminor_axis_external_ellipse),
      angle: Double(rotation_angle)
    )
    // The inner ellipse is the outer one, smaller.
    let inner = Double(semimajor_axis_internal_ellipse) / max(major, 1) * outer.major
    rotation_angle = UInt8(clamped(outer.angle, to: 0...180))
    semimajor_axis_internal_ellipse = UInt16(clamped(inner, to: 1...65_535))
    semimajor_axis_external_ellipse = UInt16(clamped(outer.major, to: 1...65_535))
    semiminor_axis_external_ellipse = UInt16(clamped(outer.minor, to: 1...65_535))
  }
}

extension AVRational {
  fileprivate var pixels: Double { den == 0 ? 0 : Double(num) / Double(den) }
}

// The whole number nearest to `value` within `limits`.
private func clamped(_ value: Double, to limits: ClosedRange<Double>) -> Double {
  min(max(value.rounded(), limits.lowerBound), limits.upperBound)
}

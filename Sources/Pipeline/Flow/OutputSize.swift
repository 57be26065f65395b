extension OutputOptions {
  /// The size of the output for pictures of this size, in pixels.
  ///
  /// - Throws: A ``MediaError`` of kind `usage` or `limit` when there can be no such pictures.
  public func pictureSize(width: Int, height: Int) throws(MediaError) -> (width: Int, height: Int) {
    let (newWidth, newHeight) = size.applied(width: width, height: height)
    let subject = "\(newWidth)x\(newHeight) pictures"
    // 65535: what the headers of most formats can say.
    guard (1...65535).contains(newWidth), (1...65535).contains(newHeight) else {
      throw MediaError(.usage, .create, subject, "sizes are from 1 to 65535")
    }
    guard newWidth * newHeight <= maximumPixelCount else {
      throw MediaError(.limit, .create, subject, "more than \(maximumPixelCount) pixels")
    }
    return (newWidth, newHeight)
  }
}

extension OutputOptions.Size {
  fileprivate func applied(width: Int, height: Int) -> (Int, Int) {
    switch self {
    case .times(let factor):
      return (rounded(Double(width) * factor), rounded(Double(height) * factor))
    case .exactly(let newWidth, let newHeight):
      return (newWidth, newHeight)
    case .fitting(let maximumWidth, let maximumHeight):
      let factor = min(
        Double(maximumWidth) / Double(width),
        Double(maximumHeight) / Double(height)
      )
      // Even: bounds come from display sizes, and most codecs want whole chroma samples.
      return (
        rounded(Double(width) * factor / 2) * 2, rounded(Double(height) * factor / 2) * 2
      )
    }
  }

  private func rounded(_ value: Double) -> Int {
    Int(exactly: value.rounded()) ?? 0
  }

  /// The shape of the output's pixels, so that the picture keeps its own shape.
  func pixelShape(
    _ source: Rational,
    from old: (width: Int, height: Int),
    to new: (width: Int, height: Int),
  ) -> Rational {
    guard case .exactly = self else { return source }
    let shape = (source.isPositive ? source : Rational(1, 1))
    let numerator = Double(shape.numerator) * Double(old.width) * Double(new.height)
    let denominator = Double(shape.denominator) * Double(old.height) * Double(new.width)
    guard numerator != denominator else { return source.isPositive ? Rational(1, 1) : source }
    return Rational(approximating: numerator / denominator)
  }
}

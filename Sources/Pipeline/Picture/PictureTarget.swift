internal import FFmpegC

/// The pictures that an encoder is opened for.
struct PictureTarget: Hashable {
  var width: Int
  var height: Int
  var layout: PixelLayout
  var color: ColorSpec

  /// Whether the encoder takes whole chroma samples only.
  var isPadded = false

  /// The size that the encoder gets: odd pictures may have a column or row more, which repeats the
  /// last one.
  var codedSize: (width: Int, height: Int) {
    guard isPadded else { return (width, height) }
    return (
      width.rounded(upToMultipleOf: 1 << layout.chromaShift.x),
      height.rounded(upToMultipleOf: 1 << layout.chromaShift.y)
    )
  }
}

extension PictureTarget {
  /// The pictures nearest to the source's that an encoder takes.
  ///
  /// `color` says what the source's samples mean, with nothing left unknown; `requested` is the pixel
  /// format that the user asks for, if any; `keepsAlpha`, `keepsRange` and `keepsMatrix` say whether the output
  /// keeps transparency and tells the range and the matrix.
  ///
  /// - Throws: A ``MediaError`` of kind `usage` when the encoder does not take `requested`.
  init(
    width: Int,
    height: Int,
    source: PixelLayout,
    color: ColorSpec,
    requested: String?,
    keepsAlpha: Bool = true,
    keepsRange: Bool = true,
    keepsMatrix: Bool = true,
    encoder: borrowing EncoderCandidate,
  ) throws(MediaError) {
    let layout: PixelLayout
    if let requested {
      layout = try encoder.layout(named: requested)
    } else {
      layout = try encoder.layout(nearestTo: source, keepsAlpha: keepsAlpha)
    }
    self.init(
      width: width,
      height: height,
      layout: layout,
      color: encoder.color(
        from: color,
        source: source,
        target: layout,
        size: (width, height),
        keepsRange: keepsRange,
        keepsMatrix: keepsMatrix,
      ),
      isPadded: !encoder.profile.acceptsOddSizes,
    )
  }
}

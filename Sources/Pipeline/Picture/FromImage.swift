internal import Engine
internal import FFmpegC

/// Turns planar RGB into the pictures that the encoder takes: size, matrix, range, depth and
/// subsampling in one pass.
struct FromImage: ~Copyable {
  /// What the encoder takes.
  let target: PictureTarget
  private let planar: PlaneFormat
  private let rounding: Conversion.Rounding
  private var repacker = Repacker()

  // What depends on the size of the images, made when it changes. Live, frames that the engine has
  // enlarged alternate with others that it has not, so the last but one is kept.
  private var source: PlaneFormat?
  private var conversion: Conversion?
  private var formerSource: PlaneFormat?
  private var formerConversion: Conversion?

  /// Prepares to make pictures for `target` of pictures that had `sourceDepth` bits.
  ///
  /// Fewer bits than the source had are dithered, so that gradients keep their smoothness.
  init(_ target: PictureTarget, sourceDepth: Int) throws(MediaError) {
    self.target = target
    rounding = target.layout.depth < sourceDepth ? .errorDiffusion : .nearest
    planar = PlaneFormat(
      width: target.width,
      height: target.height,
      // Alpha is left to swscale, which makes it opaque.
      layout: try target.layout.planarEquivalent.withoutAlpha,
      color: target.color,
    )
  }

  /// Returns `image` in the form and size that the encoder takes, without a time.
  ///
  /// An image that the engine has not seen `replaces` one that it enlarged; it gets the sharper filter.
  mutating func frame(of image: Image, replacesEngine: Bool = false) throws(MediaError) -> Frame {
    try prepare(
      .image(width: image.width, height: image.height),
      replacesEngine ? .lanczos : .spline
    )
    let frame = try Frame(
      width: planar.width,
      height: planar.height,
      format: planar.layout.format
    )
    try conversion?.run(
      from: ffmpegc_planes(image),
      to: ffmpegc_planes(frame, planar.layout)
    )
    frame.crop(width: target.codedSize.width, height: target.codedSize.height)
    return try packed(frame)
  }

  private mutating func prepare(
    _ source: PlaneFormat,
    _ filter: Conversion.Filter,
  ) throws(MediaError) {
    guard self.source != source else { return }
    swap(&self.source, &formerSource)
    swap(&conversion, &formerConversion)
    guard self.source != source else { return }
    conversion = try Conversion(from: source, to: planar, rounding: rounding, filter: filter)
    self.source = source
  }

  private mutating func packed(_ frame: consuming Frame) throws(MediaError) -> Frame {
    guard target.layout != planar.layout else {
      target.color.tag(frame)
      return frame
    }
    let packed = try Frame(
      width: target.codedSize.width,
      height: target.codedSize.height,
      format: target.layout.format
    )
    try repacker.repack(frame, into: packed)
    target.color.tag(packed)
    return packed
  }
}

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

  // What depends on the size of the images, made for the first and again when it changes.
  private var source: PlaneFormat?
  private var conversion: Conversion?

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
  mutating func frame(of image: Image) throws(MediaError) -> Frame {
    try prepare(.image(width: image.width, height: image.height))
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

  private mutating func prepare(_ source: PlaneFormat) throws(MediaError) {
    guard self.source != source else { return }
    conversion = try Conversion(from: source, to: planar, rounding: rounding)
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

internal import Engine
internal import FFmpegC

/// Turns planar RGB into the pictures that the encoder takes: size, matrix, range, depth and
/// subsampling in one pass.
struct FromImage: ~Copyable {
  /// What the encoder takes.
  let target: PictureTarget
  private let planar: PlaneFormat
  private let rounding: Conversion.Rounding

  // What becomes of the transparency; made for the first picture that has some.
  private let alphaPlane: PlaneFormat?
  private var alphaSource: PlaneFormat?
  private var alphaConversion: Conversion?
  private var repacker = Repacker()

  // What depends on the size of the images, made when it changes. Live, frames that the engine has
  // enlarged alternate with others that it has not, so the last but one is kept.
  private var source: PlaneFormat?
  private var conversion: Conversion?
  private var formerSource: PlaneFormat?
  private var formerConversion: Conversion?

  // What was made last, for images that repeat; of what only the engine holds.
  private weak var lastImage: Image?
  private var lastFrame: Frame?

  /// Prepares to make pictures for `target` of pictures that had `sourceDepth` bits.
  ///
  /// Fewer bits than the source had are dithered, so that gradients keep their smoothness.
  init(_ target: PictureTarget, sourceDepth: Int) throws(MediaError) {
    self.target = target
    rounding = target.layout.depth < sourceDepth ? .errorDiffusion : .nearest
    let planar = PlaneFormat(
      width: target.width,
      height: target.height,
      layout: target.layout.hasAlpha
        ? try target.layout.planarWithAlpha : try target.layout.planarEquivalent,
      color: target.color,
    )
    self.planar = planar
    alphaPlane = target.layout.hasAlpha ? planar.alpha : nil
  }

  /// Returns `image` in the form and size that the encoder takes, without a time.
  ///
  /// `alpha` is its transparency, of any size; without it a target with alpha is opaque.
  ///
  /// An image that the engine has not seen `replaces` one that it enlarged; it gets the sharper filter.
  /// For the image of the call before the samples are those of its frame, in the same memory.
  mutating func frame(
    of image: Image,
    alpha: Image? = nil,
    replacesEngine: Bool = false,
  ) throws(MediaError) -> Frame {
    guard alpha == nil else { return try converted(image, alpha, replacesEngine) }
    if lastImage === image, let again = try lastFrame?.shared() { return again }
    let frame = try converted(image, nil, replacesEngine)
    lastFrame = try frame.shared()
    lastImage = image
    return frame
  }

  private mutating func converted(
    _ image: Image,
    _ alpha: Image?,
    _ replacesEngine: Bool,
  ) throws(MediaError) -> Frame {
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
    if let alphaPlane { try enlarge(alpha, into: frame, alphaPlane) }
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

  private mutating func enlarge(
    _ alpha: Image?,
    into frame: borrowing Frame,
    _ plane: PlaneFormat,
  ) throws(MediaError) {
    // Opaque: one sample is enough for pictures of any size.
    let alpha = alpha ?? FromImage.opaque
    let source = PlaneFormat.alpha(width: alpha.width, height: alpha.height, depth: nil)
    if source != alphaSource {
      alphaConversion = try Conversion(
        from: source,
        to: plane,
        rounding: rounding,
        filter: .lanczos
      )
      alphaSource = source
    }
    let planes = ffmpegc_planes(firstPlaneOf: alpha)
    try alphaConversion?.run(from: planes, to: ffmpegc_planes(alphaOf: frame))
  }

  private static let opaque: Image = {
    let image = Image(width: 1, height: 1)
    unsafe image.plane(0)[0] = 1
    return image
  }()

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

extension PlaneFormat {
  /// The plane of transparency of such a picture, with its added row and column.
  fileprivate var alpha: PlaneFormat {
    var plane = PlaneFormat.alpha(width: width, height: height, depth: layout.alphaDepth)
    plane.activeWidth = activeWidth
    plane.activeHeight = activeHeight
    return plane
  }
}

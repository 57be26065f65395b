internal import Engine
internal import FFmpegC

/// Turns decoded pictures into the planar RGB that the engine works on.
///
/// Matrix, range, depth and subsampling are undone; transfer and primaries stay as they are, so the
/// values are R'G'B' in the colours of the source. Adapts when pictures change on the way.
struct ToImage: ~Copyable {
  private let orientation: Orientation
  private var repacker = Repacker()

  // What depends on the format of the pictures, made for the first and again when it changes.
  private var source: PlaneFormat?
  private var conversion: Conversion?
  private var pools: Pools?

  private struct Pools {
    let stored: ImagePool
    let upright: ImagePool
  }

  /// Prepares for pictures that have to be turned by `orientation`.
  init(orientation: Orientation) {
    self.orientation = orientation
  }

  /// Returns the picture in `frame`; its memory is recycled when it is no longer used.
  mutating func image(of frame: borrowing Frame) throws(MediaError) -> Image {
    let layout = try PixelLayout(of: frame)
    let source = PlaneFormat(
      width: frame.width,
      height: frame.height,
      layout: try layout.planarEquivalent,
      color: ColorSpec(frame).completed(for: layout, width: frame.width, height: frame.height),
    )
    try prepare(source)
    let planes = ffmpegc_planes(frame, layout)
    let isReadable = source.isExactly(width: frame.width, height: frame.height)
    if layout.isPlanar && isReadable && planes.isAligned { return try convert(planes) }
    let staged = try stage(frame, layout, source)
    return try convert(ffmpegc_planes(staged, source.layout))
  }

  private mutating func prepare(_ source: PlaneFormat) throws(MediaError) {
    guard self.source != source else { return }
    let (width, height) = source.visibleSize
    conversion = try Conversion(
      from: source,
      to: .image(width: width, height: height),
      rounding: .nearest
    )
    pools = Pools(
      stored: ImagePool(width: width, height: height),
      upright: orientation.swapsAxes
        ? ImagePool(width: height, height: width) : ImagePool(width: width, height: height),
    )
    self.source = source
  }

  // A planar copy with aligned rows, and the row or column that makes chroma samples whole.
  private mutating func stage(
    _ frame: borrowing Frame,
    _ layout: PixelLayout,
    _ source: PlaneFormat,
  ) throws(MediaError) -> Frame {
    let staged = try Frame(
      width: source.width,
      height: source.height,
      format: source.layout.format
    )
    staged.crop(width: frame.width, height: frame.height)
    if layout.isPlanar {
      unsafe try check(av_frame_copy(staged.native, frame.native), .convert, "picture")
    } else {
      try repacker.repack(frame, into: staged)
    }
    return staged
  }

  private func convert(_ planes: ffmpegc_planes) throws(MediaError) -> Image {
    guard let pools else { preconditionFailure("the conversion is prepared before it runs") }
    let stored = pools.stored.image()
    try conversion?.run(from: planes, to: ffmpegc_planes(stored))
    guard orientation != .upright else { return stored }
    let image = pools.upright.image()
    orientation.turn(stored, into: image)
    return image
  }
}

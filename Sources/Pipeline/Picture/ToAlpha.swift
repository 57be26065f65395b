internal import Engine
internal import FFmpegC

/// Takes the transparency out of decoded pictures, as an image whose first plane is 0 where nothing is
/// seen and 1 where the picture is opaque.
///
/// Enlarged apart from the colours, which the engine makes up as if all were opaque.
struct ToAlpha: ~Copyable {
  private let orientation: Orientation
  private var repacker = Repacker()
  private var source: PlaneFormat?
  private var conversion: Conversion?

  /// Prepares for pictures that have to be turned by `orientation`.
  init(orientation: Orientation) {
    self.orientation = orientation
  }

  /// Returns the transparency of the picture in `frame`; `nil` if it is opaque throughout.
  mutating func image(of frame: borrowing Frame) throws(MediaError) -> Image? {
    let layout = try PixelLayout(of: frame)
    guard layout.hasAlpha else { return nil }
    let planar = try layout.planarWithAlpha
    let copy = try Frame(width: frame.width, height: frame.height, format: planar.format)
    if layout == planar {
      unsafe try check(av_frame_copy(copy.native, frame.native), .convert, "picture")
    } else {
      try repacker.repack(frame, into: copy)
    }
    let plane = PlaneFormat.alpha(
      width: frame.width,
      height: frame.height,
      depth: planar.alphaDepth
    )
    if source != plane {
      let image = PlaneFormat.alpha(width: frame.width, height: frame.height, depth: nil)
      conversion = try Conversion(from: plane, to: image, rounding: .nearest)
      source = plane
    }
    let stored = Image(width: frame.width, height: frame.height)
    try conversion?.run(
      from: ffmpegc_planes(alphaOf: copy),
      to: ffmpegc_planes(firstPlaneOf: stored)
    )
    guard orientation != .upright else { return stored }
    let upright =
      orientation.swapsAxes
      ? Image(width: frame.height, height: frame.width)
      : Image(width: frame.width, height: frame.height)
    orientation.turn(stored, into: upright)
    return upright
  }
}

extension ToAlpha {
  // Halfway between what 8 bits call opaque and their next value.
  private static let opaque: Float = 1 - 0.5 / 255

  /// Whether anything in `frame` can be seen through.
  mutating func seesThrough(_ frame: borrowing Frame) throws(MediaError) -> Bool {
    guard let alpha = try image(of: frame) else { return false }
    let opacity = unsafe alpha.plane(0)
    return (0..<alpha.height).contains { y in
      (0..<alpha.width).contains { unsafe opacity[y * alpha.stride + $0] < ToAlpha.opaque }
    }
  }
}

extension PlaneFormat {
  /// One plane of transparency, of integers of this depth or, for `nil`, of floats.
  static func alpha(width: Int, height: Int, depth: Int?) -> PlaneFormat {
    PlaneFormat(width: width, height: height, layout: .gray(depth: depth), color: .alpha)
  }
}

extension ColorSpec {
  /// Transparency uses all codes, whatever the colours do.
  fileprivate static let alpha = ColorSpec(
    matrix: .unspecified,
    primaries: unspecifiedCode,
    transfer: unspecifiedCode,
    range: .full,
    chroma: .unspecified
  )
}

extension PixelLayout {
  /// The bits of a sample of transparency; `nil` for floats.
  var alphaDepth: Int? { isFloat ? nil : depth }

  /// This format if it is planar, or else the planar one that holds all of it with its alpha.
  ///
  /// - Throws: A ``MediaError`` of kind `bug` when it has no alpha.
  var planarWithAlpha: PixelLayout {
    get throws(MediaError) {
      if isPlanar { return self }
      let format =
        switch family {
        case .yuv: depth > 8 ? AV_PIX_FMT_YUVA444P16LE : AV_PIX_FMT_YUVA444P
        default: depth > 8 ? AV_PIX_FMT_GBRAP16LE : AV_PIX_FMT_GBRAP
        }
      guard hasAlpha, let layout = PixelLayout(format) else {
        throw MediaError(.bug, .convert, "pixel format \(name)", "it has no alpha")
      }
      return layout
    }
  }

  fileprivate static func gray(depth: Int?) -> PixelLayout {
    let format =
      switch depth {
      case nil: AV_PIX_FMT_GRAYF32LE
      case 8: AV_PIX_FMT_GRAY8
      case 9: AV_PIX_FMT_GRAY9LE
      case 10: AV_PIX_FMT_GRAY10LE
      case 12: AV_PIX_FMT_GRAY12LE
      case 14: AV_PIX_FMT_GRAY14LE
      default: AV_PIX_FMT_GRAY16LE
      }
    guard let layout = PixelLayout(format) else { preconditionFailure("FFmpeg knows grey") }
    return layout
  }
}

extension ffmpegc_planes {
  /// The fourth plane of a frame; valid while it lives.
  init(alphaOf frame: borrowing Frame) {
    let native = unsafe frame.native
    unsafe self.init(
      data: (UnsafeMutableRawPointer(native.pointee.data.3), nil, nil),
      stride: (Int(native.pointee.linesize.3), 0, 0)
    )
  }
}

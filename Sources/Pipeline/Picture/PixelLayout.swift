internal import FFmpegC

/// How the samples of a pixel format lie in memory.
struct PixelLayout: Hashable, Sendable {
  /// What the components mean.
  enum Family: Hashable, Sendable {
    case gray, rgb, yuv
  }

  let format: AVPixelFormat
  let family: Family

  /// Bits of the deepest component.
  let depth: Int

  /// How often the chroma width and height are halved.
  let chromaShift: (x: Int, y: Int)

  /// Whether every component has a plane of its own in native byte order.
  let isPlanar: Bool
  let isFloat: Bool
  let hasAlpha: Bool

  /// For each of R, G, B or Y, U, V the plane that holds it.
  let planes: [Int]

  /// Describes `format`; `nil` when it is no format with pixels in memory.
  init?(_ format: AVPixelFormat) {
    guard let descriptor = unsafe av_pix_fmt_desc_get(format)?.pointee else { return nil }
    guard unsafe descriptor.flags & UInt64(AV_PIX_FMT_FLAG_HWACCEL) == 0 else { return nil }
    let all = unsafe [descriptor.comp.0, descriptor.comp.1, descriptor.comp.2, descriptor.comp.3]
    func has(_ flag: Int32) -> Bool { unsafe descriptor.flags & UInt64(flag) != 0 }
    // libav makes R'G'B' of XYZ.
    let isXYZ = [AV_PIX_FMT_XYZ12LE, AV_PIX_FMT_XYZ12BE].contains(format)
    let isRGB = has(AV_PIX_FMT_FLAG_RGB) || has(AV_PIX_FMT_FLAG_PAL) || isXYZ
    let isGray = unsafe descriptor.nb_components < 3 && !isRGB
    let components = unsafe all.prefix(min(Int(descriptor.nb_components), isGray ? 1 : 3))
    self.format = format
    family = isGray ? .gray : isRGB ? .rgb : .yuv
    depth = has(AV_PIX_FMT_FLAG_PAL) ? 8 : Int(components.map(\.depth).max() ?? 8)
    chromaShift = unsafe (Int(descriptor.log2_chroma_w), Int(descriptor.log2_chroma_h))
    hasAlpha = has(AV_PIX_FMT_FLAG_ALPHA)
    isFloat = has(AV_PIX_FMT_FLAG_FLOAT)
    planes = components.map { Int($0.plane) }
    let isPacked = has(AV_PIX_FMT_FLAG_BITSTREAM) || has(AV_PIX_FMT_FLAG_PAL)
    let sampleSize: Int32 = isFloat ? 4 : depth > 8 ? 2 : 1
    isPlanar =
      !isPacked && !has(AV_PIX_FMT_FLAG_BE)
      && Set(planes).count == planes.count
      && components.allSatisfy { $0.step == sampleSize && $0.shift == 0 && $0.offset == 0 }
      && components.allSatisfy { $0.depth == components.first?.depth }
  }

  /// Describes the samples of a picture.
  init(of frame: borrowing Frame) throws(MediaError) {
    guard let layout = PixelLayout(frame.format) else {
      throw MediaError(.refused, .convert, "picture", "its pixels are not in memory")
    }
    self = layout
  }

  /// Planar RGB of floats: the samples of an ``Image``.
  static let image: PixelLayout = {
    guard let layout = PixelLayout(AV_PIX_FMT_GBRPF32LE) else {
      preconditionFailure("FFmpeg knows planar float RGB")
    }
    return layout
  }()

  /// Whether colours and transparency have samples of their own; a palette has one for both.
  var hasFullAlpha: Bool { hasAlpha && family != .gray && format != AV_PIX_FMT_PAL8 }

  var isSubsampled: Bool { chromaShift != (0, 0) }

  /// Whether the format itself says that all codes are used, whatever the tags say.
  var isAlwaysFullRange: Bool {
    family == .rgb || PixelLayout.jpegFormats.contains(format)
  }

  /// The range that players assume when nothing says it.
  var usualRange: ColorSpec.Range { family == .yuv && !isAlwaysFullRange ? .limited : .full }

  static let jpegFormats = [
    AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUVJ440P,
    AV_PIX_FMT_YUVJ411P,
  ]

  var name: String {
    unsafe av_get_pix_fmt_name(format).map { unsafe String(cString: $0) } ?? "none"
  }

  static func == (a: PixelLayout, b: PixelLayout) -> Bool { a.format == b.format }

  func hash(into hasher: inout Hasher) { hasher.combine(format.rawValue) }
}

extension PixelLayout {
  /// This format if it is planar, or else the planar one that holds all of it except alpha.
  var planarEquivalent: PixelLayout {
    get throws(MediaError) {
      if isPlanar { return self }
      guard let layout = PixelLayout(planarFormat) else {
        throw MediaError(.refused, .convert, "pixel format \(name)", "not supported")
      }
      return layout
    }
  }

  /// The same samples without alpha.
  var withoutAlpha: PixelLayout {
    hasAlpha ? PixelLayout(planarFormat) ?? self : self
  }

  private var planarFormat: AVPixelFormat {
    switch (family, chromaShift) {
    case (.gray, _): depth > 8 ? AV_PIX_FMT_GRAY16LE : AV_PIX_FMT_GRAY8
    case (.rgb, _): depth > 8 ? AV_PIX_FMT_GBRP16LE : AV_PIX_FMT_GBRP
    case (.yuv, (1, 1)): deep(AV_PIX_FMT_YUV420P10LE, AV_PIX_FMT_YUV420P16LE, AV_PIX_FMT_YUV420P)
    case (.yuv, (1, 0)): deep(AV_PIX_FMT_YUV422P10LE, AV_PIX_FMT_YUV422P16LE, AV_PIX_FMT_YUV422P)
    case (.yuv, (2, 0)): AV_PIX_FMT_YUV411P
    default: deep(AV_PIX_FMT_YUV444P10LE, AV_PIX_FMT_YUV444P16LE, AV_PIX_FMT_YUV444P)
    }
  }

  private func deep(
    _ ten: AVPixelFormat,
    _ sixteen: AVPixelFormat,
    _ eight: AVPixelFormat,
  ) -> AVPixelFormat {
    depth <= 8 ? eight : depth <= 10 ? ten : sixteen
  }
}

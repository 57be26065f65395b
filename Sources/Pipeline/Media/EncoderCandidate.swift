internal import FFmpegC

/// An encoder that may be used: what pictures it takes.
@safe
struct EncoderCandidate {
  let profile: EncoderProfile
  let codec: UnsafePointer<AVCodec>

  /// - Throws: A ``MediaError`` of kind `usage` when there is no encoder of this name.
  init(named name: String) throws(MediaError) {
    profile = try EncoderProfile(named: name)
    guard let codec = unsafe avcodec_find_encoder_by_name(profile.name),
      unsafe codec.pointee.type == AVMEDIA_TYPE_VIDEO
    else {
      throw MediaError(.usage, .use, "codec '\(name)'", "it does not encode video")
    }
    unsafe self.codec = codec
  }

  /// Whether it takes only some frame rates, as MPEG-1 and MPEG-2 do.
  var hasFixedRates: Bool { unsafe codec.pointee.supported_framerates != nil }

  /// The pixel formats it takes, best first; empty when it takes any.
  var layouts: [PixelLayout] {
    guard var format = unsafe codec.pointee.pix_fmts else {
      return profile.formats.compactMap { PixelLayout($0) }
    }
    var layouts: [PixelLayout] = []
    while unsafe format.pointee != AV_PIX_FMT_NONE {
      if let layout = unsafe PixelLayout(format.pointee) { layouts.append(layout) }
      unsafe format += 1
    }
    return layouts
  }

  /// The pixel format that the user named.
  func layout(named name: String) throws(MediaError) -> PixelLayout {
    guard let layout = unsafe PixelLayout(av_get_pix_fmt(name)) else {
      throw MediaError(.usage, .use, "pixel format '\(name)'", "no such format")
    }
    guard layouts.isEmpty || layouts.contains(layout) else {
      let known = layouts.map(\.name).joined(separator: ", ")
      throw MediaError(
        .usage,
        .use,
        "pixel format '\(name)'",
        "\(profile.name) takes \(known)"
      )
    }
    return layout
  }

  /// The pixel format that keeps most of the source, its transparency if it can and `keepsAlpha`.
  func layout(
    nearestTo source: PixelLayout,
    keepsAlpha: Bool = false,
  ) throws(MediaError) -> PixelLayout {
    let usable = layouts.filter { $0.isAlwaysFullRange == wantsJPEG($0) }
    let transparent = usable.filter(\.hasFullAlpha)
    let isTransparent =
      source.hasAlpha && keepsAlpha && (layouts.isEmpty || !transparent.isEmpty)
    let source =
      isTransparent ? try source.planarWithAlpha : try source.planarEquivalent.withoutAlpha
    guard !layouts.isEmpty else { return source }
    let candidates = isTransparent ? transparent : usable.filter { !$0.hasAlpha }
    let list = candidates.map(\.format) + [AV_PIX_FMT_NONE]
    let best = unsafe avcodec_find_best_pix_fmt_of_list(list, source.format, 1, nil)
    guard let layout = PixelLayout(best) else {
      throw MediaError(.usage, .use, "codec '\(profile.name)'", "it takes no usual pixel format")
    }
    return layout
  }

  // Only Motion JPEG is told the range by the pixel format; others have a tag for it.
  private func wantsJPEG(_ layout: PixelLayout) -> Bool {
    layout.family == .rgb || profile.name == "mjpeg"
  }

  /// What the numbers mean in the pictures of `size` that it gets; `keepsRange` and `keepsMatrix` say
  /// whether the output tells their range and matrix.
  func color(
    from source: ColorSpec,
    source layout: PixelLayout,
    target: PixelLayout,
    size: (width: Int, height: Int),
    keepsRange: Bool,
    keepsMatrix: Bool,
  ) -> ColorSpec {
    var color = source
    if target.family == .rgb {
      color.matrix = .rgb
      color.range = .full
    } else if layout.family == .rgb {
      color.matrix = .bt709
      color.range = .limited
    }
    if target.isAlwaysFullRange || !keepsRange { color.range = target.usualRange }
    if target.family == .yuv && !keepsMatrix {
      color.matrix = .guess(width: size.width, height: size.height)
    }
    if !target.isSubsampled {
      color.chroma = .unspecified
    } else if color.chroma == .unspecified {
      color.chroma = .left
    }
    switch profile.name {
    // JFIF and WebP have no tags for colour, but a rule.
    case "mjpeg": color.matrix = .bt470bg; color.chroma = .center
    case "libwebp" where target.family == .yuv,
      "libwebp_anim" where target.family == .yuv:
      color.matrix = .smpte170m; color.range = .limited
    default: break
    }
    return color
  }
}

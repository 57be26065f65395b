internal import FFmpegC

/// What the output will be, decided from the options and the first picture.
struct OutputPlan {
  /// The container; `nil` when each picture is a file of its own.
  let format: OutputFormat?
  let candidate: EncoderCandidate
  private(set) var encoder: EncoderSettings
  let streams: StreamMap
  private(set) var notices: [Notice]

  /// - Throws: A ``MediaError`` of kind `usage` or `limit` when there can be no such output.
  init(_ options: TranscodeOptions, _ opened: borrowing OpenedInput) throws(MediaError) {
    let output = options.output
    let picture = output.format == nil ? PictureFormat(output.path) : nil
    format = picture == nil ? try OutputFormat(named: output.format, for: output.path) : nil
    if let only = output.network?.onlyFormat, let format, format.name != only {
      let reason = "only \(only) goes there, not \(format.name)"
      throw MediaError(.usage, .create, output.path.quoted, reason)
    }
    candidate = try OutputPlan.candidate(output, picture, format)
    streams = StreamMap(opened.demuxer, picture: opened.stream, format: format)
    let source = opened.first
    let size = try output.pictureSize(
      width: source.uprightSize.width,
      height: source.uprightSize.height
    )
    try OutputPlan.check(size, format)
    // A last frame that is short raises the average.
    let finestRate = opened.demuxer.finestRate(of: opened.stream) ?? source.frameRate
    let rate = min(source.frameRate.value, finestRate.value)
    try OutputPlan.check(rate, format, frames: options.part.frames)
    let target = try PictureTarget(
      width: size.width,
      height: size.height,
      source: source.layout,
      color: source.color,
      requested: output.encoder.pixelFormat,
      keepsAlpha: candidate.keepsAlpha(in: format),
      keepsRange: candidate.keepsRange(in: format),
      keepsMatrix: candidate.keepsMatrix(of: source.color, in: format),
      encoder: candidate
    )
    encoder = EncoderSettings(
      target: target,
      timeBase: OutputPlan.timeBase(source, format, candidate, output.encoder),
      frameRate: source.frameRate,
      pixelShape: output.size.pixelShape(source.pixelShape, from: source.uprightSize, to: size),
      light: source.light,
      options: output.encoder,
      format: format,
    )
    var notices = streams.notices + source.notices(target, size, opened.stream)
    notices += source.lightNotices(candidate.profile, format) + source.viewNotices(format)
    notices += opened.demuxer.streamNotices
    if source.isTransparent && !target.layout.hasAlpha {
      let container = format?.name ?? "an image file"
      notices.append(
        .warning(
          "transparency is dropped: \(candidate.profile.name) in \(container) does not keep it; "
            + "PNG, WebP, VP9 in WebM, ProRes 4444 and FFV1 do"
        )
      )
    }
    if opened.isDeinterlaced {
      let found =
        options.input.deinterlacing == .on
        ? "every picture is taken for interlaced and" : "the source is interlaced; its pictures are"
      notices.append(.warning("\(found) made whole with bwdif"))
    }
    if opened.pictures.isSlanted {
      notices.append(
        .warning("the source asks for a turn that is no quarter turn; its pictures stay as stored")
      )
    }
    self.notices = notices
  }

  /// Whether pictures are shown again while the source pauses: the format counts them and knows no pauses.
  var fillsPauses: Bool { format.map { $0.hasConstantFrameRate && !$0.storesPauses } ?? false }

  /// Lets an encoder that would take more memory look less far ahead, and take fewer threads.
  mutating func limitMemory(to byteCount: Int) {
    let usual = EncoderMemory(candidate.profile, encoder)
    var memory = usual
    memory.limit(to: byteCount)
    let name = candidate.profile.name
    if memory.lookahead < usual.lookahead {
      let setting = "rc-lookahead=\(memory.lookahead)"
      encoder.options.options.append(
        name == "libx265"
          ? .init(key: "x265-params", value: setting)
          : .init(key: "rc-lookahead", value: "\(memory.lookahead)")
      )
      notices.append(.detail("\(name) looks \(memory.lookahead) pictures ahead, to save memory"))
    }
    if memory.threads < usual.threads {
      encoder.options.threads = memory.threads
      notices.append(.detail("\(name) takes \(memory.threads) threads, to save memory"))
    }
  }

  private static func check(
    _ size: (width: Int, height: Int),
    _ format: OutputFormat?,
  ) throws(MediaError) {
    guard let format, format.isForTelevision,
      ![(720, 576), (720, 480)].contains(where: { $0 == size })
    else { return }
    let reason =
      "it holds pictures of 720x576 or 720x480 only, not \(size.width)x\(size.height); "
      + "--size makes them, other formats need none"
    throw MediaError(.usage, .use, "output format '\(format.name)'", reason)
  }

  // Of two frames each is shown long enough.
  private static func check(
    _ rate: Double,
    _ format: OutputFormat?,
    frames: Range<Int>?,
  ) throws(MediaError) {
    guard let format, let highest = format.highestFrameRate, rate > highest,
      frames?.count ?? .max > 2
    else { return }
    let reason =
      "it shows \(Int(highest)) frames per second at most, and the input has more; "
      + "APNG and the formats of films have no such limit"
    throw MediaError(.usage, .use, "output format '\(format.name)'", reason)
  }

  // An image file says by its name how it is encoded; a container leaves the choice.
  private static func candidate(
    _ output: OutputOptions,
    _ picture: PictureFormat?,
    _ format: OutputFormat?,
  ) throws(MediaError) -> EncoderCandidate {
    if let picture {
      guard let codec = output.encoder.codec, codec != picture.encoder else {
        return try EncoderCandidate(named: picture.encoder)
      }
      let reason = "a .\(picture.rawValue) file is encoded with \(picture.encoder)"
      throw MediaError(.usage, .use, "codec '\(codec)'", reason)
    }
    guard let format else { preconditionFailure("an output is pictures or a container") }
    let usual = try format.usualEncoder
    let name = output.encoder.codec ?? usual
    let candidate = try EncoderCandidate(named: name)
    guard unsafe format.canHold(candidate.codec.pointee.id) else {
      throw MediaError(
        .usage,
        .use,
        "codec '\(candidate.profile.name)'",
        "\(format.name) cannot hold it"
      )
    }
    return candidate
  }

  // libav's encoders that count frames share a rate among these, and would give most of it to pauses.
  private static func timeBase(
    _ source: SourcePicture,
    _ format: OutputFormat?,
    _ encoder: EncoderCandidate,
    _ options: EncoderOptions,
  ) -> Rational {
    let countsFrames = format?.hasConstantFrameRate ?? true || encoder.profile.countsFrames
    guard countsFrames else { return source.timeBase }
    let isExact = !options.namesRate || encoder.hasFixedRates
    let hasPauses = format?.storesPauses ?? false && isExact
    return (hasPauses ? source.countableRate : source.frameRate).inverse
  }
}

extension SourcePicture {
  /// What a person should know about the way from the source to `target`.
  fileprivate func notices(
    _ target: PictureTarget,
    _ size: (width: Int, height: Int),
    _ stream: Int,
  ) -> [Notice] {
    var notices: [Notice] = []
    if isInterlaced {
      notices.append(.warning("the source is interlaced; its fields stay as they are"))
    }
    if layout.family == .yuv && declaredColor.matrix != color.matrix {
      notices.append(.detail("the source does not say its matrix; guessed \(color.matrix.name)"))
    }
    if layout.family == .yuv && declaredColor.range == .unspecified && color.range == .limited {
      notices.append(.detail("the source does not say its range; guessed limited"))
    }
    if color.range == .full && target.layout.family == .yuv && target.color.range == .limited {
      notices.append(.detail("the output has no place for the full range; it is limited in it"))
    }
    let isYUV = layout.family == .yuv && target.layout.family == .yuv
    if isYUV && color.matrix != target.color.matrix {
      let name = target.color.matrix.name
      notices.append(.detail("the output has no place for the matrix; \(name) is used in it"))
    }
    if !tags.isEmpty {
      let more = tags.count > 3 ? " and \(tags.count - 3) more" : ""
      notices.append(
        .warning("tags of the photo are left out: \(tags.prefix(3).joined(separator: ", "))\(more)")
      )
    }
    let coded = target.codedSize
    if coded != size {
      notices.append(
        .warning(
          "the codec wants even sizes: \(size.width)x\(size.height) is padded to "
            + "\(coded.width)x\(coded.height)"
        )
      )
    }
    return notices
  }
}

extension EncoderCandidate {
  /// Whether the transparency that it encodes can be stored.
  fileprivate func keepsAlpha(in format: OutputFormat?) -> Bool {
    // VP8 and VP9 leave it beside the packets.
    !profile.name.hasPrefix("libvpx") || ["matroska", "webm"].contains(format?.name)
  }

  /// Whether players are told the range of the pictures that it encodes.
  fileprivate func keepsRange(in format: OutputFormat?) -> Bool {
    switch profile.rangeTag {
    case .inStream: true
    case .inContainer: format?.hasRangeTag ?? false
    case .nowhere: false
    }
  }

  /// Whether players are told the matrix of the pictures that it encodes, which have these colours.
  fileprivate func keepsMatrix(of color: ColorSpec, in format: OutputFormat?) -> Bool {
    profile.tagsMatrix || format?.tellsMatrix(of: color) ?? false
  }
}

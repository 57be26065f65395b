internal import FFmpegC

// How the streams of the output are described before the header is written.
extension Muxer {
  func addStream() throws(MediaError) -> UnsafeMutablePointer<AVStream> {
    unsafe try allocated(avformat_new_stream(native, nil), "output stream")
  }

  /// Describes the upscaled stream: what the encoder makes, with the names of the input.
  func describe(
    _ output: UnsafeMutablePointer<AVStream>,
    _ input: UnsafeMutablePointer<AVStream>,
    _ encoder: borrowing Encoder,
    _ settings: MuxerSettings,
  ) throws(MediaError) {
    let parameters = unsafe output.pointee.codecpar
    unsafe try check(
      avcodec_parameters_from_context(parameters, encoder.native),
      .create,
      path.quoted
    )
    unsafe parameters?.pointee.nameProfile()
    if settings.format.isMovieFamily { unsafe parameters?.pointee.nameHEVC() }
    unsafe output.pointee.time_base = encoder.timeBase.native
    unsafe output.pointee.avg_frame_rate = settings.frameRate.native
    unsafe output.pointee.sample_aspect_ratio = settings.pixelShape.native
    unsafe copyNames(of: input, to: output)
    unsafe dropStatistics(of: output)
    let marksAlpha = unsafe encoder.native.pointee.storesAlphaApart
    unsafe av_dict_set(&output.pointee.metadata, "alpha_mode", marksAlpha ? "1" : nil, 0)
    for data in settings.pictureData { unsafe try data.add(to: output) }
  }

  /// Describes a stream whose packets are copied.
  func copy(
    _ input: UnsafeMutablePointer<AVStream>,
    to output: UnsafeMutablePointer<AVStream>,
  ) throws(MediaError) {
    let parameters = unsafe present(output.pointee.codecpar)
    unsafe try check(
      avcodec_parameters_copy(parameters, input.pointee.codecpar),
      .create,
      path.quoted
    )
    if unsafe !native.acceptsTag(of: parameters) { unsafe parameters.pointee.codec_tag = 0 }
    unsafe output.pointee.time_base = input.pointee.time_base
    unsafe output.pointee.avg_frame_rate = input.pointee.avg_frame_rate
    unsafe output.pointee.r_frame_rate = input.pointee.r_frame_rate
    unsafe output.pointee.sample_aspect_ratio = input.pointee.sample_aspect_ratio
    unsafe copyNames(of: input, to: output)
    for data in unsafe SideData.all(of: input) { unsafe try data.add(to: output) }
  }

  /// Makes a file of a cover, which is how Matroska keeps it.
  func attach(
    _ picture: AVPacket,
    as output: UnsafeMutablePointer<AVStream>,
  ) throws(MediaError) {
    let parameters = unsafe present(output.pointee.codecpar)
    let count = unsafe Int(picture.size)
    let memory = unsafe try allocated(
      av_mallocz(count + Int(AV_INPUT_BUFFER_PADDING_SIZE)),
      "cover"
    )
    if let data = unsafe picture.data { unsafe memory.copyMemory(from: data, byteCount: count) }
    unsafe av_freep(&parameters.pointee.extradata)
    unsafe parameters.pointee.extradata = memory.assumingMemoryBound(to: UInt8.self)
    unsafe parameters.pointee.extradata_size = picture.size
    unsafe parameters.pointee.codec_type = AVMEDIA_TYPE_ATTACHMENT
    let isPNG = unsafe parameters.pointee.codec_id == AV_CODEC_ID_PNG
    let name = isPNG ? "cover.png" : "cover.jpg"
    unsafe av_dict_set(&output.pointee.metadata, "filename", name, AV_DICT_DONT_OVERWRITE)
  }

  private func copyNames(
    of input: UnsafeMutablePointer<AVStream>,
    to output: UnsafeMutablePointer<AVStream>,
  ) {
    unsafe output.pointee.disposition = input.pointee.disposition
    unsafe av_dict_copy(&output.pointee.metadata, input.pointee.metadata, 0)
  }

  // What tools note about the bytes of a stream, and who made them, is not true of other bytes.
  private func dropStatistics(of stream: UnsafeMutablePointer<AVStream>) {
    let keys = ["ENCODER", "BPS", "DURATION", "NUMBER_OF_", "_STATISTICS_"]
    for key in keys {
      while let entry = unsafe av_dict_get(
        stream.pointee.metadata,
        key,
        nil,
        AV_DICT_IGNORE_SUFFIX
      ) {
        let name = unsafe String(cString: entry.pointee.key)
        unsafe av_dict_set(&stream.pointee.metadata, name, nil, AV_DICT_MATCH_CASE)
      }
    }
  }
}

extension UnsafeMutablePointer<AVFormatContext> {
  /// Whether the tag of `parameters` may stay: that of one container may mean something else in another.
  func acceptsTag(of parameters: UnsafeMutablePointer<AVCodecParameters>) -> Bool {
    guard let tags = unsafe pointee.oformat.pointee.codec_tag else { return true }
    let identifier = unsafe parameters.pointee.codec_id
    var usual: UInt32 = 0
    return unsafe av_codec_get_id(tags, parameters.pointee.codec_tag) == identifier
      || av_codec_get_tag2(tags, identifier, &usual) == 0
  }
}

extension Muxer {
  /// Copies the chapters, moved by `offset`; what lies before the start or from `limit` on is left out.
  func copyChapters(
    of demuxer: borrowing Demuxer,
    _ offset: Duration,
    until limit: Duration?,
  ) throws(MediaError) {
    let count = unsafe Int(demuxer.native.pointee.nb_chapters)
    guard count > 0 else { return }
    let list = unsafe try allocated(
      av_calloc(count, MemoryLayout<UnsafeMutablePointer<AVChapter>?>.size),
      "chapters"
    )
    unsafe native.pointee.chapters = list.bindMemory(
      to: UnsafeMutablePointer<AVChapter>?.self,
      capacity: count
    )
    for index in 0..<count {
      guard let chapter = unsafe demuxer.native.pointee.chapters[index] else { continue }
      let clock = unsafe Rational(chapter.pointee.time_base)
      let (shift, last) = (offset.ticks(of: clock), limit?.ticks(of: clock) ?? .max)
      guard unsafe chapter.pointee.start < last else { continue }
      let (end, overflow) = unsafe min(chapter.pointee.end, last).addingReportingOverflow(shift)
      guard !overflow, shift == 0 || end > 0 else { continue }
      let start = unsafe chapter.pointee.start.addingReportingOverflow(shift).partialValue
      unsafe try append(chapter, start: shift == 0 ? start : max(start, 0), end: end)
    }
  }

  private func append(
    _ chapter: UnsafeMutablePointer<AVChapter>,
    start: Int64,
    end: Int64,
  ) throws(MediaError) {
    let memory = unsafe try allocated(av_mallocz(MemoryLayout<AVChapter>.size), "chapters")
    let copy = unsafe memory.bindMemory(to: AVChapter.self, capacity: 1)
    unsafe copy.pointee.id = chapter.pointee.id
    unsafe copy.pointee.time_base = chapter.pointee.time_base
    unsafe copy.pointee.start = start
    unsafe copy.pointee.end = end
    unsafe av_dict_copy(&copy.pointee.metadata, chapter.pointee.metadata, 0)
    unsafe native.pointee.chapters[Int(native.pointee.nb_chapters)] = copy
    unsafe native.pointee.nb_chapters += 1
  }

  func dropMetadata(_ keys: [String]) {
    for key in keys { unsafe av_dict_set(&native.pointee.metadata, key, nil, 0) }
  }

  /// Writes the header with the settings that keep times exact.
  func writeHeader(_ settings: MuxerSettings, _ timeBase: Rational) throws(MediaError) {
    var options = MediaDictionary()
    let isSeekable = file?.isSeekable ?? true
    if settings.format.isMovieFamily {
      options["movie_timescale"] = String(movieClock(timeBase))
      let fragments = settings.isLive ? "frag_every_frame" : "frag_keyframe"
      if !isSeekable { options["movflags"] = fragments + "+delay_moov+default_base_moof" }
    }
    switch settings.format.name {
    case "mpegts":
      options["mpegts_copyts"] = "1"
      // Blu-ray's packets, which libav would choose by a name that it does not get.
      if settings.path.pathExtension == "m2ts" { options["mpegts_m2ts_mode"] = "1" }
    case "matroska", "webm":
      unsafe native.pointee.avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED
    // It has no start times: what all streams have before their first packets must be gone.
    case "avi": unsafe native.pointee.avoid_negative_ts = AVFMT_AVOID_NEG_TS_MAKE_ZERO
    case "gif": options["loop"] = settings.playCount.gifLoop
    case "apng": options["plays"] = settings.playCount.apngPlays
    case "webp": options["loop"] = settings.playCount.apngPlays
    case "flv" where !isSeekable: options["flvflags"] = "no_duration_filesize"
    default: break
    }
    if !isSeekable { unsafe native.pointee.flush_packets = 1 }
    // FFmpeg 5.1 still calls FLAC in MP4 experimental; players read it.
    unsafe native.pointee.strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL
    ffmpegc_clear_last_error()
    let code = unsafe avformat_write_header(native, &options.native)
    try checkFile()
    try check(code, .create, path.quoted)
  }

  /// Lets an animation show its last picture as long as it is to be shown, not as long as the one before.
  func setFinalDelay(_ duration: Int64) {
    guard duration > 0 else { return }
    let clock = unsafe Rational(stream(picture).pointee.time_base)
    switch unsafe String(cString: native.pointee.oformat.pointee.name) {
    case "gif":
      let ticks = Timestamp(ticks: duration, timeBase: clock).rescaled(to: Rational(1, 100)).ticks
      unsafe av_opt_set_int(native.pointee.priv_data, "final_delay", ticks, 0)
    case "apng":
      let delay = "\(duration * Int64(clock.numerator))/\(clock.denominator)"
      unsafe av_opt_set(native.pointee.priv_data, "final_delay", delay, 0)
    default: break
    }
  }

  // Late starts are stored in ticks of this clock, rounded down: half a tick of every stream keeps them
  // exact, and a multiple of the picture's own clock keeps that one exact in any case.
  private func movieClock(_ timeBase: Rational) -> Int {
    let clocks = unsafe (0..<Int(native.pointee.nb_streams)).compactMap { index in
      unsafe native.pointee.streams[index].map { unsafe Int($0.pointee.time_base.den) }
    }
    let (clock, finest) = (Int(max(timeBase.denominator, 1)), max(500, clocks.max() ?? 0))
    return min(clock * ((2 * finest + clock - 1) / clock), Int(Int32.max) / clock * clock)
  }
}

extension AVCodecParameters {
  // FFmpeg 5.1's encoder of ProRes tells its profile by the tag alone; MXF's muxer wants it as such.
  fileprivate mutating func nameProfile() {
    guard unsafe codec_id == AV_CODEC_ID_PRORES, unsafe profile == FF_PROFILE_UNKNOWN
    else { return }
    let code = unsafe codec_tag
    let bytes = stride(from: 0, to: 32, by: 8).map { UInt8(truncatingIfNeeded: code >> $0) }
    let tag = String(decoding: bytes, as: UTF8.self)
    let tags = ["apco", "apcs", "apcn", "apch", "ap4h", "ap4x"]  // in the order of their numbers
    unsafe profile = tags.firstIndex(of: tag).map(Int32.init) ?? profile
  }

  // Apple's players want the name that says that the header alone has the parameter sets.
  fileprivate mutating func nameHEVC() {
    // 'hvc1' in a file that counts from the last byte.
    if unsafe codec_id == AV_CODEC_ID_HEVC { unsafe codec_tag = 0x3163_7668 }
  }
}

extension AVCodecContext {
  /// Whether transparency lies beside the packets, which the header has to say.
  fileprivate var storesAlphaApart: Bool {
    let isVP = unsafe [AV_CODEC_ID_VP8, AV_CODEC_ID_VP9].contains(codec_id)
    return unsafe isVP && PixelLayout(pix_fmt)?.hasAlpha ?? false
  }
}

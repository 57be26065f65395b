internal import FFmpegC

// How the facts are read out of libav's structures.
extension MediaInfo {
  init(_ demuxer: borrowing Demuxer, picture: Int?) {
    let native = unsafe demuxer.native
    format = unsafe String(cString: native.pointee.iformat.pointee.name)
    duration = unsafe seconds(native.pointee.duration, Rational(1, AV_TIME_BASE))
    start = unsafe seconds(native.pointee.start_time, Rational(1, AV_TIME_BASE))
    bitRate = unsafe native.pointee.bit_rate > 0 ? Int(native.pointee.bit_rate) : nil
    pictureStream = picture
    var streams: [Stream] = []
    for index in 0..<demuxer.streamCount { streams.append(Stream(demuxer, index)) }
    self.streams = streams
    chapters = unsafe (0..<Int(native.pointee.nb_chapters)).compactMap { index in
      unsafe native.pointee.chapters[index].map { unsafe Chapter($0) }
    }
    tags = unsafe entries(native.pointee.metadata)
  }
}

extension MediaInfo.Stream {
  fileprivate init(_ demuxer: borrowing Demuxer, _ index: Int) {
    let stream = unsafe demuxer.stream(index)
    let parameters = unsafe stream.pointee.codecpar.pointee
    let timeBase = unsafe Rational(stream.pointee.time_base)
    let tags = unsafe entries(stream.pointee.metadata)
    self.index = index
    kind = unsafe text(av_get_media_type_string(parameters.codec_type))
    codec = unsafe text(avcodec_get_name(parameters.codec_id))
    duration = unsafe seconds(stream.pointee.duration, timeBase)
    start = unsafe seconds(stream.pointee.start_time, timeBase)
    language = tags["language"]
    title = tags["title"]
    dispositions = (0..<31).compactMap { bit in
      let flag = Int32(1) << Int32(bit)
      guard unsafe stream.pointee.disposition & flag != 0 else { return nil }
      return unsafe av_disposition_to_string(flag).map { unsafe String(cString: $0) }
    }
    sideData = unsafe (0..<Int(stream.pointee.nb_side_data)).map { index in
      unsafe text(av_packet_side_data_name(stream.pointee.side_data[index].type))
    }
    let isAudio = unsafe parameters.codec_type == AVMEDIA_TYPE_AUDIO
    sampleRate = unsafe isAudio ? Int(parameters.sample_rate) : nil
    channels = unsafe isAudio ? Int(parameters.ch_layout.nb_channels) : nil
    picture =
      unsafe parameters.codec_type == AVMEDIA_TYPE_VIDEO ? MediaInfo.Picture(demuxer, index) : nil
  }
}

extension MediaInfo.Picture {
  fileprivate init(_ demuxer: borrowing Demuxer, _ index: Int) {
    let stream = unsafe demuxer.stream(index)
    let parameters = unsafe stream.pointee.codecpar.pointee
    width = unsafe Int(parameters.width)
    height = unsafe Int(parameters.height)
    pixelFormat = unsafe text(av_get_pix_fmt_name(AVPixelFormat(rawValue: parameters.format)))
    pixelShape = unsafe ratio(av_guess_sample_aspect_ratio(demuxer.native, stream, nil), ":")
    averageFrameRate = unsafe ratio(stream.pointee.avg_frame_rate, "/")
    baseFrameRate = unsafe ratio(stream.pointee.r_frame_rate, "/")
    frameCount = unsafe stream.pointee.nb_frames > 0 ? Int(stream.pointee.nb_frames) : nil
    let orientation = unsafe stream.displayMatrix.flatMap(Orientation.init(displayMatrix:))
    quarterTurns = orientation?.quarterTurns ?? 0
    matrix = unsafe text(av_color_space_name(parameters.color_space))
    primaries = unsafe text(av_color_primaries_name(parameters.color_primaries))
    transfer = unsafe text(av_color_transfer_name(parameters.color_trc))
    range = unsafe text(av_color_range_name(parameters.color_range))
    fieldOrder = unsafe MediaInfo.Picture.name(of: parameters.field_order)
  }

  private static func name(of order: AVFieldOrder) -> String {
    switch order {
    case AV_FIELD_PROGRESSIVE: "progressive"
    case AV_FIELD_TT: "tt"
    case AV_FIELD_BB: "bb"
    case AV_FIELD_TB: "tb"
    case AV_FIELD_BT: "bt"
    default: "unknown"
    }
  }
}

extension MediaInfo.Chapter {
  fileprivate init(_ chapter: UnsafeMutablePointer<AVChapter>) {
    let timeBase = unsafe Rational(chapter.pointee.time_base)
    start = unsafe seconds(chapter.pointee.start, timeBase) ?? 0
    end = unsafe seconds(chapter.pointee.end, timeBase) ?? start
    title = unsafe entries(chapter.pointee.metadata)["title"]
  }
}

private func seconds(_ ticks: Int64, _ timeBase: Rational) -> Double? {
  ticks == FFMPEGC_NOPTS ? nil : Double(ticks) * timeBase.value
}

private func text(_ name: UnsafePointer<CChar>?) -> String {
  unsafe name.map { unsafe String(cString: $0) } ?? "unknown"
}

private func ratio(_ ratio: AVRational, _ separator: String) -> String? {
  guard ratio.num > 0, ratio.den > 0 else { return nil }
  return "\(ratio.num)\(separator)\(ratio.den)"
}

func entries(_ dictionary: OpaquePointer?) -> [String: String] {
  var entries: [String: String] = [:]
  var entry: UnsafeMutablePointer<AVDictionaryEntry>?
  while let next = unsafe av_dict_get(dictionary, "", entry, AV_DICT_IGNORE_SUFFIX) {
    unsafe entries[String(cString: next.pointee.key)] = String(cString: next.pointee.value)
    unsafe entry = next
  }
  return entries
}

internal import FFmpegC

/// What happens to each stream of the input: upscaled, copied, or left out.
struct StreamMap: Sendable {
  /// The stream whose pictures are upscaled, counted in the input.
  let picture: Int

  /// For each stream of the input its number in the output; `nil` if it is left out.
  let outputs: [Int?]

  /// What a person should know about streams that are left out.
  let notices: [Notice]

  /// Copies what `format` can hold; formats of single pictures hold the picture only.
  init(_ demuxer: borrowing Demuxer, picture: Int, format: OutputFormat?) {
    var outputs: [Int?] = []
    var notices: [Notice] = []
    var count = 0
    for index in 0..<demuxer.streamCount {
      let stream = unsafe demuxer.stream(index)
      if unsafe index == picture || format?.canCopy(stream) ?? false {
        outputs.append(count)
        count += 1
      } else {
        outputs.append(nil)
        unsafe notices.append(StreamMap.notice(index, stream, demuxer, format))
      }
    }
    self.picture = picture
    self.outputs = outputs
    self.notices = notices
  }

  private static func notice(
    _ index: Int,
    _ stream: UnsafeMutablePointer<AVStream>,
    _ demuxer: borrowing Demuxer,
    _ format: OutputFormat?,
  ) -> Notice {
    let parameters = unsafe stream.pointee.codecpar.pointee
    let kind =
      unsafe av_get_media_type_string(parameters.codec_type).map { unsafe String(cString: $0) }
      ?? "data"
    let what =
      unsafe "stream \(index) (\(kind), \(String(cString: avcodec_get_name(parameters.codec_id))))"
    guard unsafe parameters.isComplete else {
      return .warning("left out: \(what); its header is missing")
    }
    guard let format else { return .detail("left out: \(what), pictures hold nothing else") }
    if unsafe stream.isChapterText && demuxer.native.pointee.nb_chapters > 0 {
      return .detail("left out: \(what), its chapters are kept")
    }
    let holders = ["matroska", "mp4", "mov", "mpegts", "avi", "webm"]
    let holder = holders.first { name in
      unsafe (try? OutputFormat(named: name, for: demuxer.path))?.canCopy(stream) ?? false
    }
    let hint = holder.map { ", \($0) can" } ?? ", and no other format can"
    return .warning("left out: \(what); \(format.name) cannot hold it" + hint)
  }
}

extension OutputFormat {
  /// Whether the packets of `stream` can be stored as they are.
  fileprivate func canCopy(_ stream: UnsafeMutablePointer<AVStream>) -> Bool {
    let parameters = unsafe stream.pointee.codecpar.pointee
    guard unsafe parameters.codec_id != AV_CODEC_ID_NONE, unsafe parameters.isComplete else {
      return false
    }
    // Movie files make their own chapter text of the chapters.
    if unsafe isMovieFamily && stream.isChapterText { return false }
    return unsafe canHold(parameters.codec_id)
  }
}

extension AVCodecParameters {
  /// Whether enough is known to describe the stream in a header.
  fileprivate var isComplete: Bool {
    switch unsafe codec_type {
    case AVMEDIA_TYPE_AUDIO: unsafe sample_rate > 0 && ch_layout.nb_channels > 0
    case AVMEDIA_TYPE_VIDEO: unsafe width > 0 && height > 0
    default: true
    }
  }
}

extension UnsafeMutablePointer<AVStream> {
  /// Whether this is the text of a movie file's chapters, which libav also lists as chapters.
  fileprivate var isChapterText: Bool {
    // 'text' in a file that counts from the last byte.
    unsafe pointee.codecpar.pointee.codec_id == AV_CODEC_ID_BIN_DATA
      && pointee.codecpar.pointee.codec_tag == 0x7478_6574
  }
}

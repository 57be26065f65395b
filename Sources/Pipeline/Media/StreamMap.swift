internal import FFmpegC

/// What happens to each stream of the input: upscaled, copied, or left out.
struct StreamMap: Sendable {
  /// The stream whose pictures are upscaled, counted in the input.
  let picture: Int

  /// For each stream of the input its number in the output; `nil` if it is left out.
  let outputs: [Int?]

  /// The streams that are not left out, counted in the input.
  var kept: [Int] { outputs.indices.filter { outputs[$0] != nil } }

  /// What a person should know about streams that are left out.
  let notices: [Notice]

  /// Copies what `format` can hold; files of single pictures (`nil`) hold nothing else.
  init(_ demuxer: borrowing Demuxer, picture: Int, format: OutputFormat?) {
    if let format, !format.holdsPicturesOnly {
      self.init(demuxer, picture: picture, everythingIn: format)
    } else {
      self.init(demuxer, onlyPicture: picture, format)
    }
  }

  private init(
    _ demuxer: borrowing Demuxer,
    picture: Int,
    everythingIn format: OutputFormat,
  ) {
    var outputs: [Int?] = []
    var notices: [Notice] = []
    var count = 0
    let sound = demuxer.soundStream(for: format)
    for index in 0..<demuxer.streamCount {
      let stream = unsafe demuxer.stream(index)
      let isSurplus = format.holdsOneOfAKind && index != sound
      if unsafe index == picture || format.canCopy(stream) && !isSurplus {
        outputs.append(count)
        count += 1
      } else {
        outputs.append(nil)
        unsafe notices.append(StreamMap.notice(index, stream, demuxer, format))
      }
    }
    self.picture = picture
    self.outputs = outputs
    self.notices =
      notices + StreamMap.chapterNotices(demuxer, format)
      + StreamMap.silenceNotices(demuxer, outputs, format)
  }

  private static func silenceNotices(
    _ demuxer: borrowing Demuxer,
    _ outputs: [Int?],
    _ format: OutputFormat,
  ) -> [Notice] {
    guard format.needsSoundToTheEnd else { return [] }
    for (index, output) in outputs.enumerated() where output != nil {
      guard unsafe demuxer.stream(index).pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO
      else { continue }
      return [.detail("\(format.name) wants sound to the end: silence follows where it is shorter")]
    }
    return []
  }

  private static func chapterNotices(
    _ demuxer: borrowing Demuxer,
    _ format: OutputFormat,
  ) -> [Notice] {
    let count = unsafe demuxer.native.pointee.nb_chapters
    guard count > 0, !format.holdsChapters else { return [] }
    return [.warning("left out: chapters, \(count); \(format.name) cannot hold them, matroska can")]
  }

  private init(_ demuxer: borrowing Demuxer, onlyPicture picture: Int, _ format: OutputFormat?) {
    self.picture = picture
    let indices = 0..<demuxer.streamCount
    outputs = indices.map { $0 == picture ? 0 : nil }
    var others: [String] = []
    for index in indices where index != picture {
      unsafe others.append(StreamMap.name(index, demuxer.stream(index)))
    }
    let list = others.joined(separator: ", ")
    let notice: Notice =
      format.map { .warning("left out: \(list); \($0.name) holds pictures only") }
      ?? .detail("left out: \(list); pictures hold nothing else")
    let chapters = format.map { StreamMap.chapterNotices(demuxer, $0) } ?? []
    notices = (others.isEmpty ? [] : [notice]) + chapters
  }

  private static func name(_ index: Int, _ stream: UnsafeMutablePointer<AVStream>) -> String {
    let parameters = unsafe stream.pointee.codecpar.pointee
    let kind =
      unsafe av_get_media_type_string(parameters.codec_type).map { unsafe String(cString: $0) }
      ?? "data"
    return
      unsafe "stream \(index) (\(kind), \(String(cString: avcodec_get_name(parameters.codec_id))))"
  }

  private static func notice(
    _ index: Int,
    _ stream: UnsafeMutablePointer<AVStream>,
    _ demuxer: borrowing Demuxer,
    _ format: OutputFormat,
  ) -> Notice {
    let what = unsafe name(index, stream)
    guard unsafe stream.pointee.codecpar.pointee.isComplete else {
      return .warning("left out: \(what); its header is missing")
    }
    if unsafe stream.isChapterText && demuxer.native.pointee.nb_chapters > 0 {
      return .detail("left out: \(what), its chapters are kept")
    }
    if unsafe format.holdsOneOfAKind && format.canCopy(stream) {
      return .warning("left out: \(what); \(format.name) holds one of a kind, matroska more")
    }
    if unsafe format.name == "mov" && stream.isTimecode {
      return .detail("left out: \(what), its timecode is kept")
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
  /// Whether `stream` can be stored as it is: its packets, or the file that it is.
  fileprivate func canCopy(_ stream: UnsafeMutablePointer<AVStream>) -> Bool {
    let parameters = unsafe stream.pointee.codecpar.pointee
    if unsafe parameters.codec_type == AVMEDIA_TYPE_ATTACHMENT { return holdsAttachments }
    guard unsafe parameters.codec_id != AV_CODEC_ID_NONE, unsafe parameters.isComplete else {
      return false
    }
    // Movie files make their own chapter text of the chapters.
    if unsafe isMovieFamily && stream.isChapterText { return false }
    if unsafe stream.isCover && !holdsCovers { return false }
    if unsafe stream.holdsThumbnails && !holdsThumbnails { return false }
    guard unsafe canHold(parameters.codec_id) else { return false }
    return unsafe parameters.codec_type != AVMEDIA_TYPE_AUDIO || takesSound(stream)
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

extension Demuxer {
  /// The sound that players choose, of what `format` can hold: the default one, or else the first.
  fileprivate func soundStream(for format: OutputFormat) -> Int? {
    let all = (0..<streamCount).filter {
      unsafe stream($0).pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO
        && format.canCopy(stream($0))
    }
    let usual = all.first { unsafe stream($0).pointee.disposition & AV_DISPOSITION_DEFAULT != 0 }
    return usual ?? all.first
  }
}

extension UnsafeMutablePointer<AVStream> {
  /// Whether this is a picture for the whole file, such as the front of a box.
  var isCover: Bool {
    unsafe pointee.disposition & AV_DISPOSITION_ATTACHED_PIC != 0 && !holdsThumbnails
  }

  /// Whether these are pictures for chapters, which libav marks as a cover too.
  var holdsThumbnails: Bool { unsafe pointee.disposition & AV_DISPOSITION_TIMED_THUMBNAILS != 0 }

  /// Whether this is the track of a movie file that says which time the first picture has.
  fileprivate var isTimecode: Bool {
    // 'tmcd' in a file that counts from the last byte.
    unsafe pointee.codecpar.pointee.codec_tag == 0x6463_6d74
  }

  /// Whether this is the text of a movie file's chapters, which libav also lists as chapters.
  fileprivate var isChapterText: Bool {
    // 'text' in a file that counts from the last byte.
    unsafe pointee.codecpar.pointee.codec_id == AV_CODEC_ID_BIN_DATA
      && pointee.codecpar.pointee.codec_tag == 0x7478_6574
  }
}

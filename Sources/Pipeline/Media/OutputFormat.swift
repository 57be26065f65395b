internal import FFmpegC

/// A container that can be written: what it can hold and how it wants to be used.
@safe
struct OutputFormat: @unchecked Sendable {
  // Safe to send: libav's table of formats never changes.
  let native: UnsafePointer<AVOutputFormat>

  /// The format called `name`, or the one that fits the extension of `path`.
  ///
  /// - Throws: A ``MediaError`` of kind `usage` when there is none, or none that writes one file.
  init(named name: String?, for path: MediaPath) throws(MediaError) {
    // Extensions such as `mkv` and `y4m` are understood as names too.
    let fileName = name.map { "." + $0 } ?? path.text
    guard
      let format = unsafe name.flatMap({ unsafe av_guess_format($0, nil, nil) })
        ?? av_guess_format(nil, fileName, nil)
    else { throw OutputFormat.unknown(name, path) }
    unsafe native = format
    guard !hasNoFile || ["null", "rtsp"].contains(self.name) || sendsPlaylist(to: path) else {
      throw writesOtherFiles(path)
    }
  }

  // Lists and their parts go to one host only.
  private func sendsPlaylist(to path: MediaPath) -> Bool {
    name == "hls" && (try? NetworkAddress(path))?.muxer == name
  }

  private func writesOtherFiles(_ path: MediaPath) -> MediaError {
    let reason =
      name == "image2"
      ? "files of pictures end in " + PictureFormat.allCases.map(\.rawValue).joined(separator: ", ")
      : "its format, \(name), writes files under other names"
    return MediaError(.usage, .create, path.quoted, reason)
  }

  private static func unknown(_ name: String?, _ path: MediaPath) -> MediaError {
    if let name {
      return MediaError(.usage, .use, "output format '\(name)'", "no such format")
    }
    let reason =
      path.isStandardStream || path.pathExtension.isEmpty
      ? "name its format with --format"
      : "no format has the extension '.\(path.pathExtension)'; usual are .mkv, .mp4, .mov and .webm"
    return MediaError(.usage, .create, path.quoted, reason)
  }

  /// The names of the format, separated by commas.
  var name: String { unsafe String(cString: native.pointee.name) }

  var wantsGlobalHeader: Bool { unsafe native.pointee.flags & AVFMT_GLOBALHEADER != 0 }

  /// Whether nothing is written to a file.
  var hasNoFile: Bool { unsafe native.pointee.flags & AVFMT_NOFILE != 0 }

  var isMovieFamily: Bool { ["mp4", "mov", "ipod", "3gp", "3g2", "psp", "f4v"].contains(name) }

  /// Whether fonts and other files can be attached.
  var holdsAttachments: Bool { name == "matroska" }

  /// Whether a cover stays one, apart from the streams: among the tags of a movie file, attached to Matroska.
  var holdsCovers: Bool { isMovieFamily && name != "mov" || holdsAttachments }

  /// Whether the pictures of chapters can be a stream of a few pictures at any times.
  var holdsThumbnails: Bool { isMovieFamily || name == "matroska" }

  /// Whether there may be one stream of pictures and one of sound.
  var holdsOneOfAKind: Bool { name == "flv" }

  /// Whether chapters are kept; as libav's muxers do it.
  var holdsChapters: Bool { isMovieFamily || ["matroska", "webm", "nut", "asf"].contains(name) }

  /// Whether packets that were collected can be asked for; movie files make fragments by themselves, and
  /// FFmpeg 5.1's HLS promises it but crashes.
  var flushesPackets: Bool {
    unsafe native.pointee.flags & AVFMT_ALLOW_FLUSH != 0 && !isMovieFamily && !hasNoFile
  }

  /// Whether nothing may lie before the packet that is written first.
  var countsFromItsFirstPacket: Bool { name == "flv" }

  /// Whether pictures that have no sound beside them are dropped by libav's muxer.
  var needsSoundToTheEnd: Bool { name == "mxf" }

  /// Whether pictures before zero are lost: cut off by movie files, read without their times from Matroska.
  var losesPicturesBeforeZero: Bool { isMovieFamily || ["matroska", "webm"].contains(name) }

  /// How long a packet may last, in ticks.
  var longestDuration: Int64 { isMovieFamily ? Int64(Int32.max) : .max }

  /// Whether a frame has one time, so that frames cannot be stored in another order than shown.
  var hasOneTimePerFrame: Bool { ["avi", "flv"].contains(name) }

  /// Whether all frames are shown equally long.
  var hasConstantFrameRate: Bool {
    // Raw streams say in their headers how many frames a second has, if anything.
    let isRaw =
      unsafe native.pointee.flags & (AVFMT_NOTIMESTAMPS | AVFMT_VARIABLE_FPS)
      == AVFMT_NOTIMESTAMPS
    return isRaw || ["avi", "mxf", "yuv4mpegpipe", "swf", "dv", "gxf"].contains(name)
  }

  /// Whether it says which range pictures have, if their codec does not.
  var hasRangeTag: Bool { ["matroska", "webm", "yuv4mpegpipe"].contains(name) }

  /// Whether it says which matrix pictures with these colours have, if their codec does not.
  func tellsMatrix(of color: ColorSpec) -> Bool {
    // Movie files name all of a colour or nothing.
    let isNamed = ![color.primaries, color.transfer].contains(ColorSpec.unspecifiedCode)
    return ["matroska", "webm"].contains(name) || (["mp4", "mov"].contains(name) && isNamed)
  }

  /// Whether a frame may be followed by a pause.
  var storesPauses: Bool {
    let hasTimes = unsafe native.pointee.flags & AVFMT_NOTIMESTAMPS == 0
    // AVI counts empty frames.
    return name == "avi" || (hasTimes && !hasConstantFrameRate)
  }

  /// The most frames a second that readers show as they are; `nil` if there is no limit.
  var highestFrameRate: Double? {
    // It counts hundredths of a second, and one of them is taken for a mistake.
    name == "gif" ? 50 : nil
  }

  /// Whether its header can say that pictures lie so around the viewer or before both eyes.
  func tells(view: SideData) -> Bool { name != "webm" || !view.isRareStereo }

  /// Whether it holds the pictures of PAL and NTSC only, as tapes do.
  var isForTelevision: Bool { ["dv", "gxf"].contains(name) }

  /// The encoder that is usual for this container.
  var usualEncoder: String {
    get throws(MediaError) {
      switch name {
      case "webm": return "libvpx-vp9"
      case "null", "rawvideo", "framemd5", "framehash", "framecrc", "md5", "hash",
        "crc", "streamhash":
        return "rawvideo"
      case "mp4", "mov", "matroska", "flv", "avi", "mpegts", "nut", "ipod", "3gp", "3g2", "f4v",
        "h264":
        return "libx264"
      case "hevc": return "libx265"
      case "ivf", "obu": return "av1"
      case "mpeg", "vob", "dvd", "svcd": return "mpeg2video"
      default: return try registeredEncoder
      }
    }
  }

  private var registeredEncoder: String {
    get throws(MediaError) {
      guard let encoder = unsafe avcodec_find_encoder(native.pointee.video_codec) else {
        throw MediaError(.usage, .use, "output format '\(name)'", "it holds no video")
      }
      return unsafe String(cString: encoder.pointee.name)
    }
  }

  /// Whether it has room for pictures and nothing else.
  var holdsPicturesOnly: Bool {
    unsafe native.pointee.audio_codec == AV_CODEC_ID_NONE
      && native.pointee.subtitle_codec == AV_CODEC_ID_NONE
  }
}

internal import FFmpegC

// What each container can hold.
extension OutputFormat {
  /// Whether a stream of this codec can be stored.
  func canHold(_ codec: AVCodecID) -> Bool {
    if OutputFormat.unreadable[name]?.contains(codec) ?? false { return false }
    let answer = unsafe avformat_query_codec(native, codec, FF_COMPLIANCE_NORMAL)
    // A negative answer means that libav has no list for the format.
    if answer < 0 { return OutputFormat.lists[name]?.contains(codec) ?? true }
    return answer > 0 || (name == "matroska" && hasTag(codec))
  }

  // Matroska also holds what AVI has a name for, which libav's answer leaves out.
  private func hasTag(_ codec: AVCodecID) -> Bool {
    var tag: UInt32 = 0
    return unsafe av_codec_get_tag2(native.pointee.codec_tag, codec, &tag) != 0
  }

  // What libav writes and then does not find in the file, or only in part.
  private static let unreadable: [String: [AVCodecID]] = [
    "flv": [AV_CODEC_ID_MPEG4], "matroska": [AV_CODEC_ID_THEORA],
  ]

  // What libav's muxers accept, as their sources say it.
  private static let lists: [String: [AVCodecID]] = [
    "mpegts": transportStream, "mpeg": programStream, "vob": programStream, "dvd": programStream,
    "svcd": programStream, "vcd": programStream, "mxf": mxf, "ogg": ogg, "ogv": ogg,
    "yuv4mpegpipe": [AV_CODEC_ID_WRAPPED_AVFRAME],
  ]

  private static let transportStream = [
    AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4, AV_CODEC_ID_H264,
    AV_CODEC_ID_HEVC, AV_CODEC_ID_CAVS, AV_CODEC_ID_DIRAC, AV_CODEC_ID_VC1, AV_CODEC_ID_MP2,
    AV_CODEC_ID_MP3, AV_CODEC_ID_AAC, AV_CODEC_ID_AAC_LATM, AV_CODEC_ID_AC3, AV_CODEC_ID_EAC3,
    AV_CODEC_ID_DTS, AV_CODEC_ID_TRUEHD, AV_CODEC_ID_OPUS, AV_CODEC_ID_DVB_SUBTITLE,
    AV_CODEC_ID_DVB_TELETEXT, AV_CODEC_ID_SMPTE_KLV, AV_CODEC_ID_TIMED_ID3,
  ]

  private static let programStream = [
    AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_H264, AV_CODEC_ID_HEVC,
    AV_CODEC_ID_MP1, AV_CODEC_ID_MP2, AV_CODEC_ID_MP3, AV_CODEC_ID_AC3, AV_CODEC_ID_DTS,
    AV_CODEC_ID_PCM_DVD, AV_CODEC_ID_DVD_SUBTITLE,
  ]

  private static let mxf = [
    AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_H264, AV_CODEC_ID_DNXHD, AV_CODEC_ID_JPEG2000,
    AV_CODEC_ID_PRORES, AV_CODEC_ID_DVVIDEO, AV_CODEC_ID_RAWVIDEO, AV_CODEC_ID_PCM_S16LE,
    AV_CODEC_ID_PCM_S24LE,
  ]

  private static let ogg = [
    AV_CODEC_ID_THEORA, AV_CODEC_ID_VP8, AV_CODEC_ID_VORBIS, AV_CODEC_ID_OPUS, AV_CODEC_ID_FLAC,
    AV_CODEC_ID_SPEEX,
  ]
}

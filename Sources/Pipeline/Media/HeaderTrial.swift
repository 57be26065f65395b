internal import FFmpegC

/// A header that is written into memory, to learn whether a muxer takes a stream.
///
/// libav's lists of codecs do not tell: muxers refuse some codecs of their lists, and some rates.
@safe
private struct HeaderTrial: ~Copyable {
  private let native: UnsafeMutablePointer<AVFormatContext>

  init(_ format: OutputFormat) throws(MediaError) {
    var context: UnsafeMutablePointer<AVFormatContext>?
    unsafe avformat_alloc_output_context2(&context, format.native, nil, nil)
    unsafe native = try allocated(context, "muxer")
    unsafe native.pointee.io_open = { _, _, _, _, _ in FFMPEGC_EPERM }
    // As in `Muxer`.
    unsafe native.pointee.strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL
  }

  deinit {
    var bytes: UnsafeMutablePointer<UInt8>?
    unsafe avio_close_dyn_buf(native.pointee.pb, &bytes)
    unsafe av_free(bytes)
    unsafe avformat_free_context(native)
  }

  /// Adds pictures of television's size, which every muxer takes that wants pictures.
  func addPictures() throws(MediaError) {
    let stream = unsafe try allocated(avformat_new_stream(native, nil), "output stream")
    let parameters = unsafe present(stream.pointee.codecpar)
    unsafe parameters.pointee.codec_type = AVMEDIA_TYPE_VIDEO
    unsafe parameters.pointee.codec_id = native.pointee.oformat.pointee.video_codec
    unsafe parameters.pointee.format = AV_PIX_FMT_YUV420P.rawValue
    unsafe parameters.pointee.width = 720
    unsafe parameters.pointee.height = 576
    unsafe stream.pointee.time_base = Rational(1, 25).native
    unsafe stream.pointee.avg_frame_rate = Rational(25, 1).native
  }

  /// Adds a stream whose packets would be copied.
  func add(_ input: UnsafeMutablePointer<AVStream>) throws(MediaError) {
    let stream = unsafe try allocated(avformat_new_stream(native, nil), "output stream")
    let parameters = unsafe present(stream.pointee.codecpar)
    unsafe try check(
      avcodec_parameters_copy(parameters, input.pointee.codecpar),
      .create,
      "output stream"
    )
    if unsafe !native.acceptsTag(of: parameters) { unsafe parameters.pointee.codec_tag = 0 }
    unsafe stream.pointee.time_base = input.pointee.time_base
  }

  /// Whether the header can be written.
  func succeeds() -> Bool {
    // What a refusal logs must not explain a later error.
    defer { ffmpegc_clear_last_error() }
    guard unsafe avio_open_dyn_buf(&native.pointee.pb) >= 0 else { return false }
    return unsafe avformat_write_header(native, nil) >= 0
  }
}

extension OutputFormat {
  /// Whether the muxer takes the sound of `stream` as it is described.
  func takesSound(_ stream: UnsafeMutablePointer<AVStream>) -> Bool {
    guard !hasNoFile else { return true }
    do throws(MediaError) {
      let alone = try HeaderTrial(self)
      unsafe try alone.add(stream)
      if alone.succeeds() { return true }
      // MXF and DV want pictures; Matroska would want them with a header of their own.
      let beside = try HeaderTrial(self)
      try beside.addPictures()
      unsafe try beside.add(stream)
      return beside.succeeds()
    } catch {
      return false
    }
  }
}

internal import FFmpegC

/// One uncompressed picture, owned by whoever holds the value.
///
/// The samples live in FFmpeg's reference-counted buffers: moving a `Frame` moves the reference and
/// copies nothing, and the last owner frees it.
@safe
struct Frame: ~Copyable, @unchecked Sendable {
  // Safe to send: nothing else holds this pointer.
  let native: UnsafeMutablePointer<AVFrame>

  /// A frame without samples.
  init() throws(MediaError) {
    unsafe native = try allocated(av_frame_alloc(), "frame")
  }

  /// A frame with undefined samples, every row on a 64-byte boundary.
  init(width: Int, height: Int, format: AVPixelFormat) throws(MediaError) {
    let frame = try Frame()
    unsafe frame.native.pointee.width = Int32(clamping: width)
    unsafe frame.native.pointee.height = Int32(clamping: height)
    unsafe frame.native.pointee.format = format.rawValue
    let code = unsafe av_frame_get_buffer(frame.native, 64)
    try check(code, .use, "\(width)x\(height) picture", kind: .limit)
    self = frame
  }

  /// A frame with the same samples in the same memory, which nobody changes then.
  borrowing func shared() throws(MediaError) -> Frame {
    let frame = try Frame()
    let code = unsafe av_frame_ref(frame.native, native)
    try check(code, .use, "\(width)x\(height) picture", kind: .limit)
    return frame
  }

  deinit {
    var native: UnsafeMutablePointer<AVFrame>? = unsafe native
    unsafe av_frame_free(&native)
  }

  var width: Int { unsafe Int(native.pointee.width) }
  var height: Int { unsafe Int(native.pointee.height) }
  var format: AVPixelFormat { unsafe AVPixelFormat(rawValue: native.pointee.format) }

  /// Shows only the top left part of this size.
  func crop(width: Int, height: Int) {
    unsafe native.pointee.width = Int32(clamping: width)
    unsafe native.pointee.height = Int32(clamping: height)
  }

  /// Whether the decoder had to guess parts of the picture.
  var isDamaged: Bool {
    unsafe native.pointee.decode_error_flags != 0
      || native.pointee.flags & AV_FRAME_FLAG_CORRUPT != 0
  }

  var isInterlaced: Bool { unsafe native.pointee.interlaced_frame != 0 }

  /// The best guess at the presentation time in ticks of the stream, or `nil`.
  var bestEffortTicks: Int64? {
    let ticks = unsafe native.pointee.best_effort_timestamp
    return ticks == FFMPEGC_NOPTS ? nil : ticks
  }

  /// When the packet that it was decoded from was read, or `nil` if the decoder does not tell.
  var arrival: Instant? {
    let nanoseconds = unsafe native.pointee.reordered_opaque
    return nanoseconds == FFMPEGC_NOPTS ? nil : Instant(nanoseconds: nanoseconds)
  }

  /// Gives the picture the time that filters go by.
  func timeForFilters() {
    unsafe native.pointee.pts = native.pointee.best_effort_timestamp
  }

  /// How long the picture is shown in ticks of the stream; zero when unknown.
  var durationTicks: Int64 { unsafe max(native.pointee.pkt_duration, 0) }
}

/// When a frame is shown and for how long, in ticks of the stream's time base.
struct FrameTime: Hashable, Sendable {
  var pts: Int64
  var duration: Int64
}

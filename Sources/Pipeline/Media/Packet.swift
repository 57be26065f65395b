internal import FFmpegC

/// Compressed data of one stream, owned by whoever holds the value.
///
/// Knows its time base, so its times keep their meaning wherever it goes. The bytes are
/// reference-counted by libav; the last owner frees them.
@safe
struct Packet: ~Copyable, @unchecked Sendable {
  // Safe to send: nothing else holds this pointer.
  let native: UnsafeMutablePointer<AVPacket>

  /// When it was read, or the picture in it; `nil` for what no input had.
  var passage: Passage?

  /// An empty packet.
  init() throws(MediaError) {
    unsafe native = try allocated(av_packet_alloc(), "packet")
    // Not a default value, for the reason given in `Decoder`.
    passage = nil
  }

  deinit {
    var native: UnsafeMutablePointer<AVPacket>? = unsafe native
    unsafe av_packet_free(&native)
  }

  /// The stream it belongs to: of the input after demuxing, of the output before muxing.
  var streamIndex: Int {
    get { unsafe Int(native.pointee.stream_index) }
    nonmutating set { unsafe native.pointee.stream_index = Int32(newValue) }
  }

  var timeBase: Rational {
    get { unsafe Rational(native.pointee.time_base) }
    nonmutating set { unsafe native.pointee.time_base = newValue.native }
  }

  var byteCount: Int { unsafe Int(native.pointee.size) }

  /// Whether it holds nothing at all.
  var isEmpty: Bool { unsafe native.pointee.size == 0 && native.pointee.side_data_elems == 0 }

  /// Where its bytes end in the file, or `nil`.
  var endInFile: Int64? {
    let position = unsafe native.pointee.pos
    return position < 0 ? nil : position + Int64(byteCount)
  }

  var isMarkedCorrupt: Bool { unsafe native.pointee.flags & AV_PKT_FLAG_CORRUPT != 0 }

  func markCorrupt() { unsafe native.pointee.flags |= AV_PKT_FLAG_CORRUPT }

  var isKeyFrame: Bool { unsafe native.pointee.flags & AV_PKT_FLAG_KEY != 0 }

  /// When the data is presented in ticks of its time base, or `nil`.
  var presentationTicks: Int64? {
    let ticks = unsafe native.pointee.pts
    return ticks == FFMPEGC_NOPTS ? nil : ticks
  }

  /// When the data is presented, or decoded if only that is known.
  var time: Timestamp? {
    let ticks = unsafe native.pointee.pts == FFMPEGC_NOPTS ? native.pointee.dts : native.pointee.pts
    return ticks == FFMPEGC_NOPTS ? nil : Timestamp(ticks: ticks, timeBase: timeBase)
  }

  /// When the data is decoded, or presented if only that is known.
  var decodingTime: Timestamp? {
    let ticks = unsafe native.pointee.dts == FFMPEGC_NOPTS ? native.pointee.pts : native.pointee.dts
    return ticks == FFMPEGC_NOPTS ? nil : Timestamp(ticks: ticks, timeBase: timeBase)
  }

  /// How long the data lasts; zero when unknown.
  var duration: Duration {
    Timestamp(ticks: unsafe max(native.pointee.duration, 0), timeBase: timeBase).duration
  }

  /// Begins later by `delay` and lasts for `duration`.
  func cut(by delay: Duration, lasting duration: Duration) {
    shift(by: delay)
    unsafe native.pointee.duration = duration.ticks(of: timeBase)
  }

  /// Has no times any more.
  func forgetTimes() {
    unsafe native.pointee.pts = FFMPEGC_NOPTS
    unsafe native.pointee.dts = FFMPEGC_NOPTS
  }

  /// Expresses the times in another time base.
  func rescale(to timeBase: Rational) {
    unsafe av_packet_rescale_ts(native, native.pointee.time_base, timeBase.native)
    self.timeBase = timeBase
  }

  /// Moves the times by `offset`.
  func shift(by offset: Duration) {
    let ticks = offset.ticks(of: timeBase)
    if unsafe native.pointee.pts != FFMPEGC_NOPTS { unsafe native.pointee.pts &+= ticks }
    if unsafe native.pointee.dts != FFMPEGC_NOPTS { unsafe native.pointee.dts &+= ticks }
  }
}

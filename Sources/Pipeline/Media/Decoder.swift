internal import FFmpegC

/// Turns packets of one video stream into pictures.
///
/// Damage does not end the decoding: what cannot be decoded is counted and left out.
@safe
struct Decoder: ~Copyable, @unchecked Sendable {
  // Safe to send: nothing else holds this pointer.
  private let native: UnsafeMutablePointer<AVCodecContext>
  private let logged: ErrorCount

  /// Packets that the decoder refused, and pictures with parts that it made up.
  private(set) var errorCount: Int

  // Counting starts with the first packet if that is a key frame and the stream's first. Otherwise
  // somebody has cut the stream, or reading began inside, which is no damage, and pictures may refer to
  // what is lost until the second key frame.
  private var keyFramesToStart: Int
  private let startsInside: Bool
  private var hasPackets: Bool

  /// Decodes `stream` with libav's usual decoder, or the one of this `name`; reading may have begun inside it.
  ///
  /// - Throws: A ``MediaError`` of kind `refused` when there is no decoder for the stream.
  init(
    _ stream: UnsafeMutablePointer<AVStream>,
    _ input: InputOptions,
    name: String? = nil,
    startsInside: Bool = false,
  ) throws(MediaError) {
    let parameters = unsafe stream.pointee.codecpar
    let identifier = unsafe stream.pointee.codecpar.pointee.codec_id
    let found = unsafe name.map { unsafe avcodec_find_decoder_by_name($0) }
    guard let codec = unsafe found ?? avcodec_find_decoder(identifier) else {
      let name = unsafe String(cString: avcodec_get_name(identifier))
      throw MediaError(.refused, .decode, input.path.quoted, "no decoder for '\(name)'")
    }
    let decoder = unsafe try Decoder(
      native: unsafe allocated(avcodec_alloc_context3(codec), "decoder"),
      ErrorCount(),
      startsInside: startsInside,
    )
    let native = unsafe decoder.native
    unsafe try check(avcodec_parameters_to_context(native, parameters), .decode, input.path.quoted)
    unsafe native.pointee.opaque = decoder.logged.opaque
    unsafe native.pointee.pkt_timebase = stream.pointee.time_base
    unsafe native.pointee.thread_count = Int32(clamping: input.decoderThreads)
    // Threads that work on several frames keep each of them back for the length of as many.
    if input.isLive { unsafe native.pointee.thread_type = FF_THREAD_SLICE }
    unsafe native.pointee.max_pixels = Int64(input.maximumPixelCount)
    unsafe native.pointee.err_recognition |= AV_EF_CRCCHECK
    // Cropping by any number of columns, not only by those that keep rows aligned.
    unsafe native.pointee.flags |= AV_CODEC_FLAG_UNALIGNED
    unsafe try check(avcodec_open2(native, codec, nil), .decode, input.path.quoted)
    self = decoder
  }

  private init(
    native: UnsafeMutablePointer<AVCodecContext>,
    _ logged: consuming ErrorCount,
    startsInside: Bool,
  ) {
    unsafe self.native = native
    self.logged = logged
    // Not a default value: with one, `self = decoder` above destroys a `self` that was never made
    // (Swift 6.3.1).
    errorCount = 0
    keyFramesToStart = 2
    self.startsInside = startsInside
    hasPackets = false
  }

  deinit {
    var native: UnsafeMutablePointer<AVCodecContext>? = unsafe native
    unsafe avcodec_free_context(&native)
  }

  /// Hands over a packet; every picture that is ready must be received before the next.
  mutating func send(_ packet: borrowing Packet) {
    if !hasPackets && packet.isKeyFrame && !startsInside { keyFramesToStart = 1 }
    hasPackets = true
    if keyFramesToStart > 0 {
      _ = logged.take()
      if packet.isKeyFrame { keyFramesToStart -= 1 }
    }
    // The decoder hands it to the picture that the packet holds.
    unsafe native.pointee.reordered_opaque = packet.passage?.arrival.nanoseconds ?? FFMPEGC_NOPTS
    if unsafe avcodec_send_packet(native, packet.native) < 0 { countError() }
  }

  /// Says that no packet follows; the last pictures can then be received.
  mutating func finish() {
    unsafe avcodec_send_packet(native, nil)
  }

  /// The next picture, or `nil` when the decoder wants more packets or has no more pictures.
  mutating func receive() throws(MediaError) -> Frame? {
    let frame = try Frame()
    while true {
      let code = unsafe avcodec_receive_frame(native, frame.native)
      if code >= 0 {
        if frame.isDamaged || logged.take() > 0 { countError() }
        return frame
      }
      if code == FFMPEGC_EAGAIN || code == FFMPEGC_EOF { return nil }
      if code == FFMPEGC_ENOMEM { try check(code, .decode, "picture", kind: .limit) }
      countError()
    }
  }

  private mutating func countError() {
    _ = logged.take()
    if keyFramesToStart == 0 { errorCount += 1 }
    // What the decoder said about it must not explain a later error.
    ffmpegc_clear_last_error()
  }
}

internal import FFmpegC
internal import Synchronization

/// What an encoder is opened for.
struct EncoderSettings {
  var target: PictureTarget
  var timeBase: Rational
  var frameRate: Rational

  /// The shape of a pixel.
  var pixelShape: Rational

  /// Which light the pictures were mastered for.
  var light: [SideData] = []
  var options: EncoderOptions

  /// The container; `nil` when each picture is a file of its own.
  var format: OutputFormat?

  /// How far the times of two pictures are apart at least, in ticks of ``timeBase``.
  var leastDistance: Int64 {
    guard let rate = format?.highestFrameRate else { return 1 }
    // What is a whole number may have come out a bit above it.
    return max(1, Int64((1 / (rate * timeBase.value) - 1e-6).rounded(.up)))
  }
}

/// Turns pictures into packets of one video stream.
@safe
struct Encoder: ~Copyable, @unchecked Sendable {
  // Safe to send: nothing else holds this pointer.
  let native: UnsafeMutablePointer<AVCodecContext>

  // Most encoders forget all but the time of a frame.
  private var companions: [Int64: Companion]
  private var pictureCount: Int
  private var isFinished: Bool

  /// What goes around the encoder: how long a frame is shown, when it came, and its HDR10+ data.
  private struct Companion {
    let duration: Int64
    let passage: Passage?
    let light: DynamicLight?
  }

  /// - Throws: A ``MediaError`` of kind `usage` when the encoder refuses its settings.
  init(_ candidate: EncoderCandidate, _ settings: EncoderSettings) throws(MediaError) {
    let encoder = unsafe Encoder(
      native: try allocated(avcodec_alloc_context3(candidate.codec), candidate.profile.name)
    )
    encoder.describe(settings)
    for option in try candidate.profile.settings(settings.options, light: settings.light) {
      try encoder.set(option, of: candidate)
    }
    ffmpegc_clear_last_error()
    let code = unsafe ffmpegc_open_encoder(encoder.native, candidate.codec)
    try check(code, .use, "codec '\(candidate.profile.name)'", kind: .usage)
    self = encoder
  }

  private init(native: UnsafeMutablePointer<AVCodecContext>) {
    unsafe self.native = native
    // Not default values, for the reason given in `Decoder`.
    companions = [:]
    pictureCount = 0
    isFinished = false
  }

  deinit {
    // SVT-AV1 1.4 waits for ever when it is closed without having had a picture: rather keep it.
    guard pictureCount > 0 || !isSVT else {
      return unsafe Encoder.unclosed.withLock { unsafe $0.append(self.native) }
    }
    var native: UnsafeMutablePointer<AVCodecContext>? = unsafe native
    unsafe avcodec_free_context(&native)
  }

  // Kept so that whoever looks for leaks finds none.
  private static let unclosed = unsafe Mutex<[UnsafeMutablePointer<AVCodecContext>]>([])

  private var isSVT: Bool {
    // There is no codec when opening it has failed.
    guard let codec = unsafe native.pointee.codec else { return false }
    return unsafe String(cString: codec.pointee.name) == "libsvtav1"
  }

  var timeBase: Rational { unsafe Rational(native.pointee.time_base) }

  /// What a decoder has to know before the first packet; empty when the packets say it.
  var header: [UInt8] {
    guard let data = unsafe native.pointee.extradata else { return [] }
    return unsafe Array(
      UnsafeBufferPointer(start: data, count: Int(native.pointee.extradata_size))
    )
  }

  /// Hands over a picture; every packet that is ready must be received before the next.
  mutating func send(
    _ frame: borrowing Frame,
    _ time: FrameTime,
    _ passage: Passage? = nil,
    _ light: DynamicLight? = nil,
  ) throws(MediaError) {
    unsafe frame.native.pointee.pts = time.pts
    unsafe frame.native.pointee.pkt_duration = time.duration
    unsafe frame.native.pointee.sample_aspect_ratio = native.pointee.sample_aspect_ratio
    // Many encoders look for it here only.
    unsafe frame.native.pointee.quality = native.pointee.global_quality
    companions[time.pts] = Companion(duration: time.duration, passage: passage, light: light)
    pictureCount += 1
    unsafe try check(avcodec_send_frame(native, frame.native), .encode, "picture")
  }

  /// Says that no picture follows; the last packets can then be received.
  mutating func finish() throws(MediaError) {
    unsafe try check(avcodec_send_frame(native, nil), .encode, "picture")
    isFinished = true
  }

  /// The next packet, or `nil` when the encoder wants more pictures or has no more packets.
  mutating func receive() throws(MediaError) -> Packet? {
    var packet = try Packet()
    let code = unsafe avcodec_receive_packet(native, packet.native)
    if code == FFMPEGC_EAGAIN || code == FFMPEGC_EOF { return nil }
    try check(code, .encode, "picture")
    packet.timeBase = timeBase
    if isFinished && pictureCount < 3 { dropReordering(of: packet) }
    if let companion = unsafe companions.removeValue(forKey: packet.native.pointee.pts) {
      unsafe packet.native.pointee.duration = companion.duration
      packet.passage = companion.passage
      if let light = companion.light { try packet.insert(light) }
    }
    return packet
  }
}

extension Encoder {
  // Of two pictures none is decoded before an earlier one; x265 may give such short clips any dts at all.
  private func dropReordering(of packet: borrowing Packet) {
    unsafe packet.native.pointee.dts = packet.native.pointee.pts
  }

  private func describe(_ settings: EncoderSettings) {
    let target = settings.target
    unsafe native.pointee.width = Int32(clamping: target.codedSize.width)
    unsafe native.pointee.height = Int32(clamping: target.codedSize.height)
    unsafe native.pointee.pix_fmt = target.layout.format
    unsafe native.pointee.time_base = settings.timeBase.native
    unsafe native.pointee.framerate = settings.frameRate.native
    unsafe native.pointee.sample_aspect_ratio = settings.pixelShape.native
    unsafe native.pointee.colorspace = AVColorSpace(target.color.matrix.code)
    unsafe native.pointee.color_primaries = AVColorPrimaries(target.color.primaries)
    unsafe native.pointee.color_trc = AVColorTransferCharacteristic(target.color.transfer)
    unsafe native.pointee.color_range = target.color.range.native
    unsafe native.pointee.chroma_sample_location = AVChromaLocation(target.color.chroma.code)
    unsafe native.pointee.thread_count = Int32(clamping: settings.options.threads)
    if settings.format?.wantsGlobalHeader ?? false {
      unsafe native.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
    }
    // These containers store one time per frame, so pictures must stay in order.
    if settings.format?.hasOneTimePerFrame ?? false { unsafe native.pointee.max_b_frames = 0 }
    if settings.options.isLive { describeLive(settings.frameRate) }
  }

  private func describeLive(_ frameRate: Rational) {
    unsafe native.pointee.max_b_frames = 0
    // Two seconds: how long somebody who joins waits for a picture at most.
    unsafe native.pointee.gop_size = Int32(min(max(frameRate.value * 2, 1), 600))
    unsafe native.pointee.thread_type = FF_THREAD_SLICE
  }

  private func set(
    _ option: EncoderOptions.Option,
    of candidate: EncoderCandidate,
  ) throws(MediaError) {
    let name = candidate.profile.name
    let subject = "encoder option '\(option.key)=\(option.value)'"
    ffmpegc_clear_last_error()
    let code = unsafe av_opt_set(native, option.key, option.value, AV_OPT_SEARCH_CHILDREN)
    guard code == FFMPEGC_OPTION_NOT_FOUND else {
      try check(code, .use, subject, kind: .usage)
      return
    }
    let nearest = option.key.nearest(in: optionNames).map { "; did you mean '\($0)'?" } ?? ""
    throw MediaError(.usage, .use, subject, "\(name) has no such option" + nearest)
  }

  private var optionNames: [String] {
    unsafe names(of: native) + (native.pointee.priv_data.map { unsafe names(of: $0) } ?? [])
  }

  private func names(of object: UnsafeMutableRawPointer) -> [String] {
    var names: [String] = []
    var option: UnsafePointer<AVOption>?
    while let next = unsafe av_opt_next(object, option) {
      let isEncoding = unsafe next.pointee.flags & AV_OPT_FLAG_ENCODING_PARAM != 0
      if unsafe isEncoding && next.pointee.type != AV_OPT_TYPE_CONST {
        unsafe names.append(String(cString: next.pointee.name))
      }
      unsafe option = next
    }
    return names
  }
}

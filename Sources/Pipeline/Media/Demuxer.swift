internal import FFmpegC

/// Splits the input into the packets of its streams.
///
/// Opens nothing but the file it is given: libav gets callbacks instead of a name, and every
/// attempt of a demuxer to open something else is refused.
@safe
struct Demuxer: ~Copyable, @unchecked Sendable {
  // Safe to send: nothing else holds this pointer.
  let native: UnsafeMutablePointer<AVFormatContext>
  let file: InputFile
  let path: MediaPath
  private let io: IOContext
  private let cancellation: Cancellation
  private let logged: ErrorCount

  /// Places where the file breaks its format's rules, and one more if it ends too early.
  var damageCount: Int {
    reportedDamage + file.emptyCount + (isChecked ? file.damageCount : 0)
  }
  private var reportedDamage: Int

  // Streams with a packet that was marked as corrupt, and how many packets ago.
  private var marked: [Int: Int]
  private var endOfLastPacket: Int64

  // More streams than this are no video but an attack; fonts count too.
  private static let maximumStreamCount: Int32 = 1000

  /// Opens the input and looks at its streams.
  ///
  /// - Throws: A ``MediaError`` of kind `missing`, `refused`, `limit` or `inputOutput`.
  init(_ input: InputOptions, cancellation: Cancellation) throws(MediaError) {
    let demuxer = try Demuxer(opening: input, cancellation)
    let code = demuxer.findStreams()
    if let cancelled = cancellation.error { throw cancelled }
    try demuxer.checkNothingFailed()
    try check(code, .open, input.path.quoted)
    self = demuxer
  }

  private init(opening input: InputOptions, _ cancellation: Cancellation) throws(MediaError) {
    MediaLog.silenced
    if input.feedsStandardOutput { cancellation.endInputWithStandardOutput() }
    let file = try Demuxer.file(input, cancellation)
    let io = try IOContext(reading: file)
    let logged = try ErrorCount()
    let single = input.format == nil ? SinglePicture(input.path, file) : nil
    unsafe native = try Demuxer.open(io, file, input, single, cancellation)
    unsafe native.pointee.opaque = logged.opaque
    self.logged = logged
    path = input.path
    self.file = file
    self.io = io
    self.cancellation = cancellation
    // Not a default value, for the reason given in `Decoder`.
    reportedDamage = 0
    marked = [:]
    endOfLastPacket = .max
  }

  private static func file(
    _ input: InputOptions,
    _ cancellation: Cancellation,
  ) throws(MediaError) -> InputFile {
    guard let address = input.network else {
      let names = PictureNames(ofInput: input.path)
      let paths = try names?.existing() ?? [input.path]
      return try InputFile(paths, cancellation: cancellation)
    }
    guard address.demuxer == nil else { return InputFile(nil, cancellation: cancellation) }
    let network = try NetworkInput(
      address,
      listens: input.listens,
      attempts: input.reconnections,
      cancellation
    )
    return InputFile(network, cancellation: cancellation)
  }

  /// Whether recordings of this format are often put together, each with a clock of its own.
  var mayRestartClock: Bool { ["mpegts", "mpeg"].contains(formatName) }

  // Finding out decodes the first picture with all texts in it.
  private func findStreams() -> Int32 {
    if formatName == "mpeg" && file.isSeekable {
      // Its streams are known by their packets alone, and subtitles may come late.
      unsafe native.pointee.probesize = 64 << 20
      unsafe native.pointee.max_analyze_duration = Int64(60 * AV_TIME_BASE)
    }
    // Each file of a row is a packet: a parser that looks for ends would lose those behind a broken one.
    if file.pathCount > 1 && formatName.hasSuffix("_pipe") {
      unsafe native.pointee.flags |= AVFMT_FLAG_NOPARSE
    }
    let limit = PNGText.largestAllocation(file.beginning(24)) ?? Int(Int32.max)
    av_max_alloc(limit)
    defer { av_max_alloc(Int(Int32.max)) }
    return unsafe avformat_find_stream_info(native, nil)
  }

  deinit {
    var native: UnsafeMutablePointer<AVFormatContext>? = unsafe native
    unsafe avformat_close_input(&native)
  }

  /// The next packet in the order of the file, or `nil` at its end.
  mutating func read() throws(MediaError) -> Packet? {
    var packet = try Packet()
    let code = nextPacket(packet)
    packet.passage = Passage(arrival: .now)
    ffmpegc_clear_last_error()
    if let cancelled = cancellation.error { throw cancelled }
    // A demuxer that loses its way has read all that can be read.
    let isDamaged = logged.take() > 0 || (code < 0 && code != FFMPEGC_EOF)
    if isDamaged && !file.isCutShort { reportedDamage += 1 }
    guard code >= 0 else {
      if endsInsidePicture && !file.isCutShort { reportedDamage += 1 }
      try checkNothingFailed()
      return nil
    }
    endOfLastPacket = packet.endInFile ?? .max
    countMark(packet)
    packet.timeBase = unsafe Rational(stream(packet.streamIndex).pointee.time_base)
    return packet
  }

  // Bytes of other formats may look like a transport stream by chance: flat areas of raw pictures do.
  private var isChecked: Bool { ["mpegts", "matroska,webm"].contains(formatName) }

  private var formatName: String { unsafe String(cString: native.pointee.iformat.pointee.name) }

  // The demuxer of YUV4MPEG drops a last picture that is not complete without a word.
  private var endsInsidePicture: Bool {
    unsafe formatName == "yuv4mpegpipe" && endOfLastPacket < avio_tell(native.pointee.pb)
  }

  // MPEG-TS also marks the packets before a joint, where a key frame follows. The mark may lie on
  // the last packet or on the one before.
  private mutating func countMark(_ packet: borrowing Packet) {
    let index = packet.streamIndex
    if packet.isKeyFrame {
      marked[index] = nil
    } else if let distance = marked[index] {
      marked[index] = distance == 0 ? 1 : nil
      if distance > 0 { reportedDamage += 1 }
    }
    if packet.isMarkedCorrupt { marked[index] = 0 }
  }

  // Some demuxers ask to be called again when they have nothing yet. After an interrupt they give what they
  // still hold: the last picture of a transport stream has no end but that of the input.
  private func nextPacket(_ packet: borrowing Packet) -> Int32 {
    while !cancellation.isOutputOver {
      let code = unsafe av_read_frame(native, packet.native)
      if cancellation.isInputOver, code < 0 || file.isCutShort { return FFMPEGC_EOF }
      // A decoder takes a packet without bytes for the end.
      if code >= 0, packet.isEmpty {
        unsafe av_packet_unref(packet.native)
        continue
      }
      if code != FFMPEGC_EAGAIN { return code }
    }
    return cancellation.isRequested ? FFMPEGC_EXIT : FFMPEGC_EOF
  }

  var streamCount: Int { unsafe Int(native.pointee.nb_streams) }

  /// What a person should know about streams and pictures that are not looked at.
  var streamNotices: [Notice] {
    var notices = PictureNames(ofInput: path)?.notices ?? []
    if TIFFPages.areSeveral(in: file) {
      notices.append(.warning("the input has several pages; the first one is enlarged"))
    }
    if streamCount >= Int(Demuxer.maximumStreamCount) {
      notices.append(
        .warning("the input has \(streamCount) streams or more; others are left out")
      )
    }
    return notices
  }

  /// The stream of this number; valid while the demuxer lives.
  func stream(_ index: Int) -> UnsafeMutablePointer<AVStream> {
    unsafe present(native.pointee.streams[index])
  }

  private func checkNothingFailed() throws(MediaError) {
    try file.checkNothingFailed(path)
  }
}

extension Demuxer {
  private static func open(
    _ io: borrowing IOContext,
    _ file: InputFile,
    _ input: InputOptions,
    _ single: SinglePicture?,
    _ cancellation: Cancellation,
  ) throws(MediaError) -> UnsafeMutablePointer<AVFormatContext> {
    let context = unsafe try allocated(avformat_alloc_context(), "demuxer")
    unsafe confine(context, io, cancellation)
    if input.isLive { unsafe boundProbing(of: context) }
    var native: UnsafeMutablePointer<AVFormatContext>? = unsafe context
    var options = input.demuxerOptions
    let named = unsafe try input.format.map { name throws(MediaError) in unsafe try find(name) }
    var format = unsafe named ?? single?.describe(to: context, &options) ?? file.demuxerOfRow
    let session = input.network.flatMap { $0.demuxer == nil ? nil : $0 }
    if let session {
      unsafe allow(session, context)
      unsafe format = av_find_input_format(session.demuxer)
      options = session.options(listens: input.listens)
    }
    ffmpegc_clear_last_error()
    let code = unsafe avformat_open_input(&native, session?.url, format, &options.native)
    do throws(MediaError) {
      if let cancelled = cancellation.error { throw cancelled }
      if code < 0 { try file.checkUsable(input.path) }
      let isUnreachable = session != nil && ffmpegc_is_unreachable(code) != 0
      try explain(code, input.path, kind: isUnreachable ? .missing : .refused)
      try checkUsed(options, input.path)
      return unsafe try allocated(native, "demuxer")
    } catch {
      unsafe avformat_close_input(&native)
      throw error
    }
  }

  private static func checkUsed(
    _ options: borrowing MediaDictionary,
    _ path: MediaPath,
  ) throws(MediaError) {
    guard let unused = options.firstKey else { return }
    throw MediaError(.usage, .use, "input option '\(unused)'", "\(path.quoted) has its own")
  }

  private static func explain(
    _ code: Int32,
    _ path: MediaPath,
    kind: MediaError.Kind,
  ) throws(MediaError) {
    let isForbidden = unsafe String(cString: ffmpegc_last_error()).hasPrefix(
      "Format not on whitelist"
    )
    if code < 0 && isForbidden {
      throw MediaError(
        .refused,
        .open,
        path.quoted,
        "it is no video but text, a device or a list of other files"
      )
    }
    try check(code, .open, path.quoted, kind: kind)
  }

  private static func confine(
    _ context: UnsafeMutablePointer<AVFormatContext>,
    _ io: borrowing IOContext,
    _ cancellation: Cancellation,
  ) {
    unsafe context.pointee.pb = io.native
    unsafe context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
    unsafe context.pointee.max_streams = maximumStreamCount
    unsafe context.pointee.format_whitelist = av_strdup(InputFormats.allowList)
    unsafe context.pointee.protocol_whitelist = av_strdup("none")
    unsafe context.pointee.io_open = { _, _, _, _, _ in FFMPEGC_EPERM }
    unsafe context.pointee.interrupt_callback = NetworkConnection.interrupt(
      cancellation,
      writes: false
    )
  }

  // The demuxer opens connections by itself, with the protocols of the address; a playlist may name more on
  // the same host.
  private static func allow(
    _ address: NetworkAddress,
    _ context: UnsafeMutablePointer<AVFormatContext>,
  ) {
    unsafe context.pointee.pb = nil
    unsafe context.pointee.flags &= ~AVFMT_FLAG_CUSTOM_IO
    unsafe av_freep(&context.pointee.protocol_whitelist)
    unsafe context.pointee.protocol_whitelist = av_strdup(address.scheme.protocols)
    unsafe av_freep(&context.pointee.format_whitelist)
    let formats = [InputFormats.allowList, "rtsp,rtp,sdp,hls,webvtt,ac3,eac3"].joined(
      separator: ","
    )
    unsafe context.pointee.format_whitelist = av_strdup(formats)
    unsafe context.pointee.io_open = ffmpegc_open_on_same_host
  }

  // A live input delivers no faster than it is shown: what is looked at first is waited for.
  private static func boundProbing(of context: UnsafeMutablePointer<AVFormatContext>) {
    unsafe context.pointee.max_analyze_duration = Int64(AV_TIME_BASE) / 2
    unsafe context.pointee.probesize = 1 << 20
    unsafe context.pointee.fps_probe_size = 4
  }

  private static func find(
    _ name: String
  ) throws(MediaError) -> UnsafePointer<AVInputFormat> {
    let isAllowed = InputFormats.containers.contains(name) || InputFormats.isPicture(name)
    guard isAllowed, let format = unsafe av_find_input_format(name) else {
      throw MediaError(.usage, .use, "input format '\(name)'", "no such format")
    }
    return unsafe format
  }
}

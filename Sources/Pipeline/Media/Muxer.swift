internal import FFmpegC

/// Writes packets of several streams into one container.
@safe
struct Muxer: ~Copyable, PacketSink, @unchecked Sendable {
  // Safe to send: nothing else holds this pointer.
  let native: UnsafeMutablePointer<AVFormatContext>
  private let io: IOContext?
  let file: OutputFile?
  let path: MediaPath
  private let deliveries: Deliveries?
  private(set) var lastDecodingTimes: [Int: Int64]
  let picture: Int
  private let streamsOfPlainAAC: Set<Int>
  private let isLive: Bool
  private let flushesPackets: Bool
  private var liveStart: LiveStart
  private let verifiedFormat: OutputFormat?
  private(set) var tallies: [Int: StreamTally]
  private(set) var byteCounts: [Int: Int]
  private var damagedStreams: Set<Int>
  private let needsSoundToTheEnd: Bool
  private let longestDuration: Int64

  // How much later than they are given packets are written.
  private let delay: Duration
  private(set) var droppedPackets: Int
  private var refusal: Int32
  private var lastDuration: Int64
  private(set) var repairedTimes: Int
  private(set) var lostTags: [String]
  private let givenTags: FileTags

  /// Prepares the streams and writes the header into `file`, or nowhere if the format has no file.
  ///
  /// - Throws: A ``MediaError`` of kind `cannotCreate`, `inputOutput` or `cancelled`.
  init(
    _ settings: MuxerSettings,
    file: OutputFile?,
    demuxer: borrowing Demuxer,
    encoder: borrowing Encoder,
  ) throws(MediaError) {
    let muxer = try Muxer(
      settings,
      file: file,
      plainAAC: PlainAAC.streams(of: demuxer, settings),
      tags: unsafe FileTags(demuxer.native, streams: settings.streams.kept),
      delay: settings.delay(of: demuxer),
    )
    for (input, output) in settings.streams.outputs.enumerated() where output != nil {
      let stream = unsafe try muxer.addStream()
      if input == settings.streams.picture {
        unsafe try muxer.describe(stream, demuxer.stream(input), encoder, settings)
      } else {
        unsafe try muxer.copy(demuxer.stream(input), to: stream)
        if unsafe settings.format.holdsAttachments && demuxer.stream(input).isCover {
          unsafe try muxer.attach(demuxer.stream(input).pointee.attached_pic, as: stream)
        }
        if let output, muxer.streamsOfPlainAAC.contains(output) {
          unsafe PlainAAC.describe(stream.pointee.codecpar)
        }
      }
    }
    unsafe av_dict_copy(&muxer.native.pointee.metadata, demuxer.native.pointee.metadata, 0)
    muxer.dropMetadata(["major_brand", "minor_version", "compatible_brands"])
    muxer.advanceTimecodes(by: .zero - settings.timeOffset, settings.frameRate)
    try muxer.copyChapters(of: demuxer, settings.timeOffset + muxer.delay, until: settings.end)
    try muxer.writeHeader(settings, encoder.timeBase)
    self = muxer
  }

  private init(
    _ settings: MuxerSettings,
    file: OutputFile?,
    plainAAC: Set<Int>,
    tags: FileTags,
    delay: Duration,
  ) throws(MediaError) {
    var context: UnsafeMutablePointer<AVFormatContext>?
    let code = unsafe avformat_alloc_output_context2(&context, settings.format.native, nil, nil)
    try check(code, .create, settings.path.quoted)
    let native = try unsafe allocated(context, "muxer")
    // Nothing but its one file, whatever the muxer would like.
    unsafe native.pointee.io_open = { _, _, _, _, _ in FFMPEGC_EPERM }
    let address = file == nil ? settings.network : nil
    let deliveries = address.map { unsafe Deliveries(to: $0, by: native, settings.cancellation) }
    let io = unsafe try Muxer.ioContext(file, for: native)
    unsafe self.init(native, io, deliveries, file, settings, plainAAC, tags, delay)
  }

  private init(
    _ native: UnsafeMutablePointer<AVFormatContext>,
    _ io: consuming IOContext?,
    _ deliveries: Deliveries?,
    _ file: OutputFile?,
    _ settings: MuxerSettings,
    _ plainAAC: Set<Int>,
    _ tags: FileTags,
    _ delay: Duration,
  ) {
    unsafe self.native = native
    self.io = io
    self.deliveries = deliveries
    self.file = file
    path = settings.path
    isLive = settings.isLive
    flushesPackets = settings.isLive && settings.format.flushesPackets
    liveStart = LiveStart(isOver: !settings.isLive || !settings.format.countsFromItsFirstPacket)
    picture = settings.streams.outputs[settings.streams.picture] ?? 0
    // Not default values, for the reason given in `Decoder`.
    lastDecodingTimes = [:]
    tallies = [:]
    byteCounts = [:]
    damagedStreams = []
    needsSoundToTheEnd = settings.format.needsSoundToTheEnd && !settings.isLive
    longestDuration = settings.format.longestDuration
    self.delay = delay
    streamsOfPlainAAC = plainAAC
    verifiedFormat = settings.verifies && settings.format.isVerifiable ? settings.format : nil
    droppedPackets = 0
    refusal = 0
    lastDuration = 0
    repairedTimes = 0
    lostTags = []
    givenTags = tags
  }

  private static func ioContext(
    _ file: OutputFile?,
    for native: UnsafeMutablePointer<AVFormatContext>,
  ) throws(MediaError) -> IOContext? {
    guard let file else { return nil }
    let io = try IOContext(writing: file)
    unsafe native.pointee.pb = io.native
    return io
  }

  deinit {
    unsafe avformat_free_context(native)
  }

  var byteCount: Int { file?.byteCount ?? deliveries?.byteCount ?? 0 }

  mutating func write(_ packet: consuming Packet) throws(MediaError) {
    let index = packet.streamIndex
    // What is attached is written with the header.
    if unsafe stream(index).pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_ATTACHMENT {
      return tallies[index, default: StreamTally()].add(nil)
    }
    unsafe packet.rescale(to: Rational(stream(index).pointee.time_base))
    if delay != .zero { packet.shift(by: delay) }
    if isSecondCopy(packet) { return }
    if packet.isMarkedCorrupt { damagedStreams.insert(index) }
    if streamsOfPlainAAC.contains(index) { PlainAAC.dropHeader(of: packet) }
    completeDuration(packet)
    endWithNext(packet)
    repair(packet)
    let (ticks, byteCount) = (packet.presentationTicks, packet.byteCount)
    if index == picture { lastDuration = unsafe packet.native.pointee.duration }
    let code = liveStart.isOver ? unsafe write(packet.native) : writeAtStart(packet)
    try checkFile()
    try deliveries?.check(path)
    if code < 0 { try noteRefusal(code) }
    guard code >= 0 || index == picture else { return }
    deliveries?.note(byteCount)
    tallies[index, default: StreamTally()].add(ticks)
    byteCounts[index, default: 0] += byteCount
  }

  // A copied packet that its container does not accept must not end the work. It may be refused when it is
  // another one's turn, since packets wait for each other: whether a picture is missing shows at the end.
  private mutating func noteRefusal(_ code: Int32) throws(MediaError) {
    if unsafe native.pointee.nb_streams == 1 { try check(code, .write, path.quoted) }
    if refusal == 0 { refusal = code }
    droppedPackets += 1
    ffmpegc_clear_last_error()
  }

  // What still waits; each refusal is the end of one packet.
  private mutating func writeWaiting() throws(MediaError) {
    for _ in 0..<Muxer.mostWaiting {
      let code = unsafe av_interleaved_write_frame(native, nil)
      try checkFile()
      guard code < 0 else { break }
      try noteRefusal(code)
    }
    let count = unsafe Int(stream(picture).pointee.nb_frames)
    if refusal < 0, count < tallies[picture]?.count ?? 0 {
      try check(refusal, .write, path.quoted)
    }
  }

  private static let mostWaiting = 10_000

  // Packets wait until all streams have begun; then they go out in order, and later ones as they come.
  private mutating func writeAtStart(_ packet: borrowing Packet) -> Int32 {
    let (index, time) = (packet.streamIndex, packet.decodingTime?.duration)
    let count = unsafe Int(native.pointee.nb_streams)
    let code = unsafe av_interleaved_write_frame(native, packet.native)
    liveStart.add(index, of: count, at: time)
    guard liveStart.isOver else { return code }
    return min(code, unsafe av_interleaved_write_frame(native, nil))
  }

  // Packets of one stream may wait for those of others until they are in order; live, none does.
  private func write(_ packet: UnsafeMutablePointer<AVPacket>) -> Int32 {
    guard isLive else { return unsafe av_interleaved_write_frame(native, packet) }
    let code = unsafe av_write_frame(native, packet)
    // Some muxers collect packets until a cluster or a PES packet is full.
    if code >= 0, flushesPackets { unsafe av_write_frame(native, nil) }
    return code
  }

  mutating func finish() throws(MediaError) {
    if needsSoundToTheEnd { try lengthenSound() }
    if !isLive { try writeWaiting() }
    setFinalDelay(lastDuration)
    let code = unsafe av_write_trailer(native)
    if let stream = unsafe native.pointee.pb { unsafe avio_flush(stream) }
    try checkFile()
    try deliveries?.check(path)
    try check(code, .write, path.quoted)
    try verify()
    try compareTags()
    try file?.finish()
  }

  private mutating func verify() throws(MediaError) {
    guard let format = verifiedFormat, let file, let written = file.temporary else { return }
    var expectations: [StreamPlace: Verification.Expectation] = [:]
    for (index, tally) in tallies where isExpected(index) {
      let place = unsafe StreamPlace(index, in: native, coversLieApart: format.holdsCovers)
      let parameters = unsafe present(stream(index).pointee.codecpar)
      expectations[place] = unsafe format.expectation(tally, of: parameters)
    }
    let verification = Verification(streams: expectations, coversLieApart: format.holdsCovers)
    let found = try verification.run(written, name: path, file.cancellation)
    lostTags = found.missing(of: givenTags)
  }

  // Readers may cut damaged sound into other packets.
  private func isExpected(_ index: Int) -> Bool {
    index == picture || droppedPackets == 0 && !damagedStreams.contains(index)
  }

  // A file that was not verified is opened for its tags alone. Some cannot be, such as raw pictures.
  private mutating func compareTags() throws(MediaError) {
    guard verifiedFormat == nil, !givenTags.names.isEmpty, let file, let written = file.temporary
    else { return }
    do throws(MediaError) {
      let demuxer = try Demuxer(InputOptions(written), cancellation: file.cancellation)
      lostTags = unsafe FileTags(demuxer.native).missing(of: givenTags)
    } catch {
      if let cancelled = file.cancellation.error { throw cancelled }
    }
  }

  // Sound from Matroska may not say how long it lasts. Movie files would end before its last packet,
  // which is taken to last as long as the one before.
  private func completeDuration(_ packet: borrowing Packet) {
    let native = unsafe packet.native
    let type = unsafe stream(packet.streamIndex).pointee.codecpar.pointee.codec_type
    guard type == AVMEDIA_TYPE_AUDIO, unsafe native.pointee.duration <= 0,
      unsafe native.pointee.dts != FFMPEGC_NOPTS, let last = lastDecodingTimes[packet.streamIndex]
    else { return }
    unsafe native.pointee.duration = max(native.pointee.dts &- last, 0)
  }

  // Subtitles of DVDs may say that they last for 49 days: until the next one, as those that say nothing.
  private func endWithNext(_ packet: borrowing Packet) {
    guard unsafe packet.native.pointee.duration > longestDuration else { return }
    unsafe packet.native.pointee.duration = 0
  }

  // libav reads the first of the thumbnails twice, once as a cover.
  private func isSecondCopy(_ packet: borrowing Packet) -> Bool {
    let index = packet.streamIndex
    guard unsafe stream(index).holdsThumbnails else { return false }
    return unsafe packet.native.pointee.dts == lastDecodingTimes[index]
  }

  // Decoding times have to grow; libav refuses everything else.
  private mutating func repair(_ packet: borrowing Packet) {
    let native = unsafe packet.native
    guard unsafe native.pointee.dts != FFMPEGC_NOPTS else { return }
    let index = packet.streamIndex
    let mayRepeat = unsafe self.native.pointee.oformat.pointee.flags & AVFMT_TS_NONSTRICT != 0
    if let last = lastDecodingTimes[index] {
      let earliest = last &+ (mayRepeat ? 0 : 1)
      if unsafe native.pointee.dts < earliest {
        unsafe native.pointee.dts = earliest
        repairedTimes += 1
      }
      if unsafe native.pointee.pts != FFMPEGC_NOPTS {
        unsafe native.pointee.pts = max(native.pointee.pts, native.pointee.dts)
      }
    }
    lastDecodingTimes[index] = unsafe native.pointee.dts
  }

  // Not every muxer reports that its file could not be written.
  func checkFile() throws(MediaError) {
    guard let file, let stream = unsafe native.pointee.pb else { return }
    if file.failure != 0 { throw file.error(file.failure) }
    if let cancelled = file.cancellation.error { throw cancelled }
    unsafe try check(stream.pointee.error, .write, path.quoted)
  }

  func stream(_ index: Int) -> UnsafeMutablePointer<AVStream> {
    unsafe present(native.pointee.streams[index])
  }
}

/// What a muxer has to know about the output.
struct MuxerSettings {
  var path: MediaPath
  var format: OutputFormat
  var streams: StreamMap
  var frameRate: Rational

  /// The shape of a pixel of the upscaled stream.
  var pixelShape: Rational

  /// Which light the pictures were mastered for, and how they lie around the viewer.
  var pictureData: [SideData]

  /// How many times the output is played, where it is an animation.
  var playCount: PlayCount

  /// Whether the finished file is read again and compared.
  var verifies: Bool

  /// Whether packets are written as they come, each at once.
  var isLive: Bool

  /// Where a muxer that opens its connections by itself sends.
  var network: NetworkAddress?
  var cancellation: Cancellation

  /// How much later every time of the output is than in the input.
  var timeOffset: Duration

  /// Where the part that is kept ends in the input, if it does before all of it.
  var end: Duration?
}

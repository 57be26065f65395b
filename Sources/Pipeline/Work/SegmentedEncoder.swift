internal import FFmpegC

/// Encodes pictures as one stream, in segments that a work folder keeps if there is one.
///
/// Every segment has an encoder of its own, so it begins with a key frame and depends on no other. Where the
/// cuts lie follows from the numbers of the frames alone: a run that is continued gives the same packets as
/// one that was never interrupted.
struct SegmentedEncoder: ~Copyable, @unchecked Sendable {
  // Safe to send: only one stage uses it.
  private var encoder: Encoder?
  private let candidate: EncoderCandidate
  private let settings: EncoderSettings
  private let header: [UInt8]
  private let work: WorkFolder?

  // The segment that is written, and the one that is read instead of encoded.
  private var segment: SegmentWriter?
  private var stored: StoredSegment?

  private var frameCount: Int
  private var isEnding: Bool
  private var lastDecodingTime: Int64?

  /// Encodes with `encoder` and, from the second segment on, with others like it.
  init(
    _ encoder: consuming Encoder,
    _ candidate: EncoderCandidate,
    _ settings: EncoderSettings,
    work: WorkFolder?,
  ) {
    header = encoder.header
    self.encoder = consume encoder
    self.candidate = candidate
    self.settings = settings
    self.work = work
    // Not default values, for the reason given in `Decoder`.
    segment = nil
    stored = nil
    frameCount = 0
    isEnding = false
    lastDecodingTime = nil
  }

  /// Hands over a picture; every packet that is ready must be received before the next.
  mutating func send(
    _ frame: borrowing Frame,
    _ time: FrameTime,
    _ passage: Passage? = nil,
    _ light: DynamicLight? = nil,
  ) throws(MediaError) {
    if let work, frameCount == work.storedFrames || frameCount % work.segmentLength == 0 {
      try beginSegment(work)
    }
    try encoder?.send(frame, time, passage, light)
    frameCount += 1
    if let work, frameCount % work.segmentLength == 0 { try endSegment() }
  }

  /// Takes a picture at this time as encoded: its packet lies in the work folder.
  mutating func skip(_ time: FrameTime) throws(MediaError) {
    guard let work else { preconditionFailure("only work that was kept can be skipped") }
    if frameCount % work.segmentLength == 0 {
      try stored?.checkEnd()
      let number = frameCount / work.segmentLength
      stored = StoredSegment(try work.read(number, timeBase: settings.timeBase), of: work)
    }
    stored?.expect(time.pts)
    frameCount += 1
  }

  /// Says that no picture follows; the last packets can then be received.
  mutating func finish() throws(MediaError) {
    if let work, frameCount < work.storedFrames { throw work.otherFrames }
    try stored?.checkEnd()
    if work == nil || segment != nil { try endSegment() }
  }

  /// The next packet, or `nil` when more pictures are wanted or there are no more packets.
  mutating func receive() throws(MediaError) -> Packet? {
    if let packet = try stored?.next() { return growing(packet) }
    if let packet = try encoder?.receive() {
      try segment?.write(packet)
      return growing(packet)
    }
    if isEnding { try closeSegment() }
    return nil
  }
}

extension SegmentedEncoder {
  private mutating func beginSegment(_ work: WorkFolder) throws(MediaError) {
    try stored?.checkEnd()
    stored = nil
    // A last segment that is shorter has nothing behind it.
    guard frameCount % work.segmentLength == 0 else { throw work.otherFrames }
    if encoder == nil { encoder = try Encoder(candidate, settings) }
    guard encoder?.header == header else {
      let reason = "its header differs from segment to segment"
      throw MediaError(.usage, .use, "--resume with codec '\(candidate.profile.name)'", reason)
    }
    segment = try work.write()
  }

  private mutating func endSegment() throws(MediaError) {
    try encoder?.finish()
    isEnding = true
  }

  private mutating func closeSegment() throws(MediaError) {
    isEnding = false
    encoder = nil
    if let segment { try work?.finish(segment) }
    segment = nil
  }

  // A segment's first decoding times may lie before the last ones of the segment before it, when that has
  // quicker pictures. Moving them up to these leaves them before their presentation times.
  private mutating func growing(_ packet: consuming Packet) -> Packet {
    let dts = unsafe packet.native.pointee.dts
    guard work != nil, dts != FFMPEGC_NOPTS else { return packet }
    let later = lastDecodingTime.map { max(dts, $0 &+ 1) } ?? dts
    unsafe packet.native.pointee.dts = later
    lastDecodingTime = later
    return packet
  }
}

/// A segment that is read while its frames come again from the decoder.
private final class StoredSegment {
  private let reader: SegmentReader
  private let work: WorkFolder
  private var expected: Set<Int64> = []
  private var found: Set<Int64> = []
  private var due = 0

  init(_ reader: SegmentReader, of work: WorkFolder) {
    self.reader = reader
    self.work = work
  }

  /// Makes one more packet ready; one of the segment's packets is presented at `pts`.
  func expect(_ pts: Int64) {
    expected.insert(pts)
    due += 1
  }

  /// The next packet, one for each frame that came; they come in another order.
  func next() throws(MediaError) -> Packet? {
    guard due > 0 else { return nil }
    due -= 1
    guard let packet = try reader.next(), let pts = packet.presentationTicks else {
      throw work.otherFrames
    }
    found.insert(pts)
    return packet
  }

  /// - Throws: A ``MediaError`` of kind `refused` when the packets were not made of the frames that came.
  func checkEnd() throws(MediaError) {
    guard found == expected else { throw work.otherFrames }
  }
}

extension WorkFolder {
  /// The frames that come from the decoder are not those that the work was made of.
  fileprivate var otherFrames: MediaError {
    MediaError(
      .refused,
      .resume,
      path.quoted,
      "it was made of other frames than this input gives; remove the folder to begin anew"
    )
  }
}

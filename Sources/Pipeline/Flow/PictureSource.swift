internal import FFmpegC

/// The decoded pictures of one stream in the order in which they are shown, each with its time.
struct PictureSource: ~Copyable {
  /// The unit of the times.
  let timeBase: Rational

  private var decoder: Decoder
  private var check: PictureCheck?
  private var deinterlacer: Deinterlacer
  private var isFinished = false
  private var repair = TimestampRepair()
  private let usualDuration: Int64
  private let isPNG: Bool
  private var displayMatrix: [Int32]?
  private var first: Frame?

  /// Pictures from `stream`, which last one frame at `frameRate` unless they say otherwise; reading may have begun
  /// inside it.
  init(
    _ stream: UnsafeMutablePointer<AVStream>,
    _ input: InputOptions,
    frameRate: Rational,
    startsInside: Bool,
  ) throws(MediaError) {
    let transparent = unsafe stream.decoderOfTransparency
    let decoder = unsafe try Decoder(
      stream,
      input,
      name: transparent,
      startsInside: startsInside,
    )
    check = transparent == nil ? unsafe PictureCheck(stream, input) : nil
    isPNG = unsafe [AV_CODEC_ID_PNG, AV_CODEC_ID_APNG].contains(
      stream.pointee.codecpar.pointee.codec_id
    )
    let timeBase = unsafe Rational(stream.pointee.time_base)
    deinterlacer = Deinterlacer(input.deinterlacing, timeBase: timeBase)
    self.timeBase = timeBase
    displayMatrix = unsafe stream.displayMatrix
    usualDuration = unsafe max(
      av_rescale_q(1, frameRate.inverse.native, stream.pointee.time_base),
      1
    )
    self.decoder = decoder
  }

  /// How the pictures have to be turned to be upright; not at all where quarter turns will not do.
  var orientation: Orientation {
    displayMatrix.flatMap(Orientation.init(displayMatrix:)) ?? .upright
  }

  /// Whether the pictures ask to be turned by something else than quarter turns.
  var isSlanted: Bool { displayMatrix.map { Orientation(displayMatrix: $0) == nil } ?? false }

  /// Turns the pictures as the first one says, if the header of the file says nothing.
  mutating func orient(by frame: borrowing Frame) {
    displayMatrix = displayMatrix ?? frame.displayMatrix
  }

  /// Packets and pictures that could not be decoded.
  var errorCount: Int { max(decoder.errorCount, check?.errorCount ?? 0) }

  /// Pictures that were made of two fields.
  var deinterlacedCount: Int { deinterlacer.count }

  /// Times that had to be invented or moved.
  var repairs: Int { repair.repairs }

  /// Hands over a packet; every picture that is ready must be taken before the next.
  mutating func send(_ packet: borrowing Packet) throws(MediaError) {
    if isPNG { try PNGText.drop(from: packet) }
    decoder.send(packet)
    try check?.check(packet)
  }

  /// Says that no packet follows.
  mutating func finish() {
    decoder.finish()
    isFinished = true
  }

  /// The next picture, or `nil` when packets are wanted or there are no more pictures.
  mutating func next() throws(MediaError) -> Frame? {
    if let frame = first.take() { return frame }
    while true {
      if let frame = try deinterlacer.receive() { return frame }
      if let frame = try decoder.receive() {
        try deinterlacer.send(frame)
      } else if isFinished {
        isFinished = false
        try deinterlacer.finish()
      } else {
        return nil
      }
    }
  }

  /// Puts the first picture back, so that it is the next.
  mutating func putBack(_ frame: consuming Frame) { first = consume frame }

  /// When a picture is shown; asked once for each, in their order.
  mutating func time(of frame: borrowing Frame) -> FrameTime {
    let duration = frame.durationTicks > 0 ? frame.durationTicks : usualDuration
    return FrameTime(
      pts: repair.repaired(frame.bestEffortTicks, duration: duration),
      duration: duration
    )
  }
}

extension UnsafeMutablePointer<AVStream> {
  /// The decoder that also reads the transparency of VP8 and VP9; `nil` where libav's own is as good.
  fileprivate var decoderOfTransparency: String? {
    guard unsafe av_dict_get(pointee.metadata, "alpha_mode", nil, 0) != nil else { return nil }
    let names = [AV_CODEC_ID_VP8: "libvpx", AV_CODEC_ID_VP9: "libvpx-vp9"]
    guard let name = unsafe names[pointee.codecpar.pointee.codec_id] else { return nil }
    return unsafe avcodec_find_decoder_by_name(name) == nil ? nil : name
  }
}

extension UnsafeMutablePointer<AVStream> {
  /// The matrix that the header has for showing the pictures, or `nil`.
  var displayMatrix: [Int32]? {
    unsafe av_stream_get_side_data(self, AV_PKT_DATA_DISPLAYMATRIX, nil).map {
      unsafe numbers(ofMatrix: $0)
    }
  }
}

extension Frame {
  /// The matrix that the picture itself has for being shown, or `nil`.
  var displayMatrix: [Int32]? {
    unsafe av_frame_get_side_data(native, AV_FRAME_DATA_DISPLAYMATRIX).map {
      unsafe numbers(ofMatrix: $0.pointee.data)
    }
  }
}

private func numbers(ofMatrix data: UnsafePointer<UInt8>) -> [Int32] {
  (0..<9).map {
    unsafe UnsafeRawPointer(data).loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)
  }
}

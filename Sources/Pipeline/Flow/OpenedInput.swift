internal import FFmpegC

/// The input with its first picture decoded.
struct OpenedInput: ~Copyable {
  var demuxer: Demuxer
  let info: MediaInfo

  /// The number of the stream that is upscaled.
  let stream: Int
  var pictures: PictureSource

  /// Packets of other streams that were read on the way to the first picture.
  var held: [HeldPacket] = []
  let first: SourcePicture

  // More than an hour of sound before the first picture: the input is no film.
  private static let maximumHeldByteCount = 64 << 20

  /// Opens `input` and looks for a picture, from the last key frame before `start` where that works.
  ///
  /// - Throws: A ``MediaError`` of kind `refused` when no picture can be decoded.
  init(
    _ input: InputOptions,
    _ cancellation: Cancellation,
    start: Duration? = nil,
  ) throws(MediaError) {
    var demuxer = try Demuxer(input, cancellation: cancellation)
    let stream = try demuxer.pictureStream()
    if let start { demuxer.skip(to: start, stream) }
    let frameRate = demuxer.frameRate(of: stream)
    var pictures = unsafe try PictureSource(demuxer.stream(stream), input, frameRate: frameRate)
    var held: [HeldPacket] = []
    var heldByteCount = 0
    var frame = try pictures.next()
    while frame == nil, let packet = try demuxer.read() {
      if packet.streamIndex == stream {
        pictures.send(packet)
        frame = try pictures.next()
      } else {
        heldByteCount += packet.byteCount
        held.append(HeldPacket(packet))
      }
      guard heldByteCount <= OpenedInput.maximumHeldByteCount else { break }
    }
    if frame == nil {
      pictures.finish()
      frame = try pictures.next()
    }
    guard let frame = frame.take() else {
      throw MediaError(.refused, .decode, input.path.quoted, "no picture can be decoded")
    }
    first = try SourcePicture(frame, demuxer, stream, pictures.orientation, frameRate)
    pictures.putBack(frame)
    info = MediaInfo(demuxer, picture: stream)
    self.demuxer = demuxer
    self.stream = stream
    self.pictures = pictures
    self.held = held
  }
}

/// What the first picture says about all of them.
struct SourcePicture {
  /// The size as stored.
  let width: Int
  let height: Int
  let orientation: Orientation
  let layout: PixelLayout

  /// What the stream says about its colours, and the same with guesses for what it does not say.
  let declaredColor: ColorSpec
  let color: ColorSpec
  let isInterlaced: Bool
  let frameRate: Rational
  let timeBase: Rational

  /// The shape of a pixel of the upright picture.
  let pixelShape: Rational

  init(
    _ frame: borrowing Frame,
    _ demuxer: borrowing Demuxer,
    _ stream: Int,
    _ orientation: Orientation,
    _ frameRate: Rational,
  ) throws(MediaError) {
    width = frame.width
    height = frame.height
    self.orientation = orientation
    layout = try PixelLayout(of: frame)
    declaredColor = ColorSpec(frame)
    color = declaredColor.completed(for: layout, width: width, height: height)
    isInterlaced = frame.isInterlaced
    self.frameRate = frameRate
    timeBase = unsafe Rational(demuxer.stream(stream).pointee.time_base)
    let shape = unsafe Rational(
      av_guess_sample_aspect_ratio(demuxer.native, demuxer.stream(stream), frame.native)
    )
    pixelShape = orientation.swapsAxes ? shape.inverse : shape
  }

  /// The size of the upright picture.
  var uprightSize: (width: Int, height: Int) {
    orientation.swapsAxes ? (height, width) : (width, height)
  }
}

extension Demuxer {
  /// The stream whose pictures are the film: the default one, or else the largest; never a cover.
  func pictureStream() throws(MediaError) -> Int {
    var best: (index: Int, score: Int)?
    for index in 0..<streamCount {
      guard let score = score(ofPictures: index) else { continue }
      if score > best?.score ?? -1 { best = (index, score) }
    }
    guard let best else {
      throw MediaError(.refused, .decode, path.quoted, "there is no video in it")
    }
    return best.index
  }

  private func score(ofPictures index: Int) -> Int? {
    let parameters = unsafe stream(index).pointee.codecpar.pointee
    guard unsafe parameters.codec_type == AVMEDIA_TYPE_VIDEO, !isCover(index) else { return nil }
    let isDefault = unsafe stream(index).pointee.disposition & AV_DISPOSITION_DEFAULT != 0
    // Above any number of pixels.
    return unsafe (isDefault ? 1 << 62 : 0) + Int(parameters.width) * Int(parameters.height)
  }

  /// Continues at the last key frame before `time`, if the format has an index that can be trusted.
  func skip(to time: Duration, _ index: Int) {
    let format = unsafe String(cString: native.pointee.iformat.pointee.name)
    guard file.isSeekable, format.hasPrefix("mov") || format.hasPrefix("matroska") else { return }
    let ticks = unsafe time.ticks(of: Rational(stream(index).pointee.time_base))
    // Where it fails, reading goes on from the beginning, which only takes longer.
    unsafe avformat_seek_file(native, Int32(index), .min, ticks, ticks, 0)
  }

  func isCover(_ index: Int) -> Bool {
    unsafe stream(index).pointee.disposition & AV_DISPOSITION_ATTACHED_PIC != 0
  }

  /// The usual number of frames per second.
  func frameRate(of index: Int) -> Rational {
    let stream = unsafe stream(index).pointee
    // 300: above it the "rate" of files with irregular times is only the clock they count by.
    let candidates = unsafe [stream.avg_frame_rate, stream.r_frame_rate].map { Rational($0) }
    return candidates.first { $0.isPositive && $0.value <= 300 } ?? Rational(25, 1)
  }

  /// How many frames the stream has; `nil` when the file does not say.
  func frameCount(of index: Int) -> Int? {
    let stream = unsafe stream(index).pointee
    if unsafe stream.nb_frames > 0 { return unsafe Int(stream.nb_frames) }
    let duration: Double
    if unsafe stream.duration != FFMPEGC_NOPTS {
      duration = unsafe Double(stream.duration) * Rational(stream.time_base).value
    } else if unsafe native.pointee.duration != FFMPEGC_NOPTS {
      duration = unsafe Double(native.pointee.duration) / Double(AV_TIME_BASE)
    } else {
      return nil
    }
    return Int(exactly: (duration * frameRate(of: index).value).rounded())
  }
}

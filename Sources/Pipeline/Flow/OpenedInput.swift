internal import FFmpegC

/// The input with its first picture decoded.
struct OpenedInput: ~Copyable {
  var demuxer: Demuxer
  let info: MediaInfo

  /// The number of the stream that is upscaled.
  let stream: Int

  /// The first time stamp of that stream.
  let start: Duration
  var pictures: PictureSource

  /// Packets of other streams that were read on the way to the first picture.
  let held: [HeldPacket]
  let first: SourcePicture

  /// Whether the first picture was made of two fields.
  let isDeinterlaced: Bool

  // More than an hour of sound before the first picture: the input is no film.
  private static let maximumHeldByteCount = 64 << 20

  /// Opens `input` and looks for a picture, from the last key frame before `beginning` where that works.
  ///
  /// - Throws: A ``MediaError`` of kind `refused` when no picture can be decoded.
  init(
    _ input: InputOptions,
    _ cancellation: Cancellation,
    beginning: Duration? = nil,
  ) throws(MediaError) {
    var demuxer = try Demuxer(input, cancellation: cancellation)
    let stream = try demuxer.pictureStream()
    let start = demuxer.start(of: stream)
    if let beginning { demuxer.skip(to: start + beginning, stream) }
    let frameRate = demuxer.frameRate(of: stream)
    var pictures = unsafe try PictureSource(
      demuxer.stream(stream),
      input,
      frameRate: frameRate,
      startsInside: beginning != nil,
    )
    let found = try OpenedInput.search(&demuxer, &pictures, stream)
    pictures.orient(by: found.frame)
    first = try SourcePicture(found.frame, demuxer, stream, pictures.orientation, frameRate)
    isDeinterlaced = pictures.deinterlacedCount > 0
    held = found.held
    pictures.putBack(found.frame)
    info = MediaInfo(demuxer, picture: stream)
    self.start = start
    self.demuxer = demuxer
    self.stream = stream
    self.pictures = pictures
  }

  // Reads until the first picture is decoded; what belongs to other streams is kept.
  private static func search(
    _ demuxer: inout Demuxer,
    _ pictures: inout PictureSource,
    _ stream: Int,
  ) throws(MediaError) -> FirstPicture {
    var held = HeldPackets(limit: maximumHeldByteCount)
    while !held.isFull, let packet = try demuxer.read() {
      if packet.streamIndex == stream {
        try pictures.send(packet)
        if let frame = try pictures.next() {
          return FirstPicture(frame: frame, held: held.packets)
        }
      } else {
        held.append(packet)
      }
    }
    guard !held.isFull else {
      let reason =
        "other streams have more than \(maximumHeldByteCount >> 20) MiB before the first picture; "
        + "the decoder gives it sooner with fewer --threads"
      throw MediaError(.limit, .decode, demuxer.path.quoted, reason)
    }
    pictures.finish()
    if let frame = try pictures.next() { return FirstPicture(frame: frame, held: held.packets) }
    throw MediaError(.refused, .decode, demuxer.path.quoted, "no picture can be decoded")
  }

  private struct FirstPicture: ~Copyable {
    let frame: Frame
    let held: [HeldPacket]
  }
}

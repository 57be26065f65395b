public import Engine
internal import FFmpegC

/// Some pictures of a clip, spread over all of it, as the engine would get them.
public struct PictureSample {
  /// The pictures in their order.
  public private(set) var pictures: [Image] = []

  private let limit: Int
  private let side: Int
  private var stride = 1
  private var number = 0

  /// Reads `input` to its end and keeps `limit` pictures at most, of each the middle of at most `side` pixels a side.
  ///
  /// - Throws: ``MediaError`` when the input cannot be read or holds no picture.
  public init(
    _ input: InputOptions,
    limit: Int,
    side: Int = .max,
    cancellation: Cancellation = Cancellation(),
  ) throws(MediaError) {
    self.limit = limit
    self.side = side
    var opened = try OpenedInput(input, cancellation)
    var toImage = ToImage(orientation: opened.pictures.orientation)
    try take(&opened.pictures, &toImage)
    while let packet = try opened.demuxer.read() {
      guard packet.streamIndex == opened.stream else { continue }
      try opened.pictures.send(packet)
      try take(&opened.pictures, &toImage)
    }
    opened.pictures.finish()
    try take(&opened.pictures, &toImage)
  }

  private mutating func take(
    _ source: inout PictureSource,
    _ toImage: inout ToImage,
  ) throws(MediaError) {
    while let frame = try source.next() {
      defer { number += 1 }
      guard number % stride == 0 else { continue }
      pictures.append(try toImage.image(of: frame).middle(width: side, height: side))
      if pictures.count > limit { thin() }
    }
  }

  // Every second picture goes, and from now on half as many come.
  private mutating func thin() {
    pictures = pictures.indices.filter { $0 % 2 == 0 }.map { pictures[$0] }
    stride *= 2
  }
}

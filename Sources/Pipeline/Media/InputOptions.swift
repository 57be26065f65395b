/// What to read, and what the user says about it.
public struct InputOptions: Hashable, Sendable {
  /// The file, `-` for standard input, or a pattern such as `frame%04d.png`.
  public var path: MediaPath

  /// The name of the format as FFmpeg knows it; `nil` to find out.
  public var format: String?

  /// The frame rate of image sequences and raw video, frames per second.
  public var frameRate: Rational?

  /// The size of raw video, such as `320x180`.
  public var videoSize: String?

  /// The pixel format of raw video, by FFmpeg's name.
  public var pixelFormat: String?

  /// Which pictures are taken for two fields and made whole.
  public var deinterlacing = Deinterlacing.auto

  /// The threads that decode; zero lets the decoder choose.
  public var decoderThreads = 0

  /// Whether the input is shown while it comes: little is read before work starts, and the decoder keeps
  /// no picture back.
  public var isLive = false

  /// The address that `path` is, if the input comes from the network.
  public var network: NetworkAddress?

  /// Whether the run waits for the source to connect.
  public var listens = false

  /// How often a connection that cannot be made, or breaks off, is tried again.
  public var reconnections = 0

  /// Whether the input ends when nobody reads standard output any more.
  public var feedsStandardOutput = false

  /// The largest picture that is accepted, in pixels.
  public var maximumPixelCount = 100_000_000

  /// Options that read `path` and find out everything else.
  public init(_ path: MediaPath) {
    self.path = path
  }

  var demuxerOptions: MediaDictionary {
    var options = MediaDictionary()
    options["framerate"] = frameRate.map { "\($0.numerator)/\($0.denominator)" }
    options["video_size"] = videoSize
    options["pixel_format"] = pixelFormat
    return options
  }
}

/// How the picture is encoded.
public struct EncoderOptions: Hashable, Sendable {
  /// One setting of the encoder under the encoder's own name.
  public struct Option: Hashable, Sendable {
    /// The name of the setting.
    public var key: String

    /// Its value as text.
    public var value: String

    /// Creates a setting.
    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// An encoder (`libx264`) or a format (`h264`); `nil` for what suits the container.
  public var codec: String?

  /// Constant quality: the lower, the better; `nil` for the encoder's usual quality.
  public var crf: Double?

  /// Speed against size, by the names of x264 or the encoder's own.
  public var preset: String?

  /// The pixel format by FFmpeg's name; `nil` to keep the source's as far as possible.
  public var pixelFormat: String?

  /// Further settings, applied last and in this order.
  public var options: [Option] = []

  /// The threads that encode; zero lets the encoder choose.
  public var threads = 0

  /// Whether every picture has to leave before the next comes: the encoder looks at no later picture, and
  /// at most two seconds lie between key frames.
  public var isLive = false

  /// The usual encoding for the container.
  public init() {}

  /// Whether so many bits a second are asked for.
  var namesRate: Bool { options.contains { ["b", "maxrate"].contains($0.key) } }
}

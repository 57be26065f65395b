internal import FFmpegC

/// What is in a media file.
public struct MediaInfo: Hashable, Sendable, Codable {
  /// One stream of a file.
  public struct Stream: Hashable, Sendable, Codable {
    /// Its number in the file.
    public let index: Int

    /// `video`, `audio`, `subtitle`, `data` or `attachment`.
    public let kind: String

    /// The codec by FFmpeg's name.
    public let codec: String

    /// How long it lasts in seconds; `nil` when the file does not say.
    public let duration: Double?

    /// When it starts, in seconds.
    public let start: Double?

    /// The language as the file names it.
    public let language: String?

    /// The title that the file gives it.
    public let title: String?

    /// Its roles, such as `default`, `forced` or `attached_pic`.
    public let dispositions: [String]

    /// Kinds of further data that belong to the whole stream, such as HDR properties.
    public let sideData: [String]

    /// What only pictures have.
    public let picture: Picture?

    /// Samples per second, for audio.
    public let sampleRate: Int?

    /// The number of channels, for audio.
    public let channels: Int?
  }

  /// What a stream of pictures says about them.
  public struct Picture: Hashable, Sendable, Codable {
    /// Columns as stored.
    public let width: Int

    /// Rows as stored.
    public let height: Int

    /// The pixel format by FFmpeg's name.
    public let pixelFormat: String

    /// The shape of a pixel, such as `1:1`; `nil` when unknown.
    public let pixelShape: String?

    /// The average number of frames per second, such as `25/1`; `nil` when unknown.
    public let averageFrameRate: String?

    /// The lowest frame rate in which all times can be counted; `nil` when unknown.
    public let baseFrameRate: String?

    /// The number of frames; `nil` when the file does not say.
    public let frameCount: Int?

    /// Quarter turns clockwise that make the picture upright.
    public let quarterTurns: Int

    /// The matrix between RGB and YUV by FFmpeg's name.
    public let matrix: String

    /// The primaries by FFmpeg's name.
    public let primaries: String

    /// The transfer characteristics by FFmpeg's name.
    public let transfer: String

    /// `tv` (limited), `pc` (full) or `unknown`.
    public let range: String

    /// The order of fields: `progressive`, `tt`, `bb`, `tb`, `bt` or `unknown`.
    public let fieldOrder: String
  }

  /// A named part of the file.
  public struct Chapter: Hashable, Sendable, Codable {
    /// When it starts, in seconds.
    public let start: Double

    /// When it ends, in seconds.
    public let end: Double

    /// Its name.
    public let title: String?
  }

  /// The format by FFmpeg's name.
  public let format: String

  /// How long the file lasts in seconds; `nil` when it does not say.
  public let duration: Double?

  /// When it starts, in seconds.
  public let start: Double?

  /// Bits per second; `nil` when unknown.
  public let bitRate: Int?

  /// All streams in their order.
  public let streams: [Stream]

  /// The number of the stream that would be upscaled; `nil` when there is none.
  public let pictureStream: Int?

  /// All chapters in their order.
  public let chapters: [Chapter]

  /// What the file says about itself, such as `title`.
  public let tags: [String: String]

  /// Looks into a file.
  ///
  /// - Throws: A ``MediaError`` of kind `missing`, `refused`, `limit` or `inputOutput`.
  public init(reading input: InputOptions) throws(MediaError) {
    let demuxer = try Demuxer(input, cancellation: Cancellation())
    self.init(demuxer, picture: try? demuxer.pictureStream())
  }
}

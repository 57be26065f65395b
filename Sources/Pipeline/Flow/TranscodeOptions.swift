/// What to upscale, and what to make of it.
public struct TranscodeOptions: Hashable, Sendable {
  /// What to read.
  public var input: InputOptions

  /// What to write.
  public var output: OutputOptions

  /// Which part of the input is kept.
  public var part = Part()

  /// How much damage in the input is accepted.
  public var damage = DamagePolicy()

  /// By how much a sample may differ, in units of 0…1, so that a picture takes the result of the last one
  /// that was upscaled; nil when every picture is upscaled.
  public var repeatTolerance: Float? = 0

  /// Whether a finished file is read again and compared with what was written into it.
  public var verifies = true

  /// Whether the run keeps what it has finished, so that it can be continued.
  public var work = WorkOptions()

  /// How a live run keeps its delay; `nil` for files, which take the time they need.
  public var live: LiveOptions?

  /// The most memory that the process may take, in bytes; an encoder that would take more than half
  /// of it, or more than the engine leaves, looks less far ahead.
  public var memory = Int.max

  /// Options that upscale all of `input` into `output`.
  public init(input: InputOptions, output: OutputOptions) {
    self.input = input
    self.output = output
  }
}

/// What to write, and how.
public struct OutputOptions: Hashable, Sendable {
  /// How large the output is.
  public enum Size: Hashable, Sendable {
    /// The size of the source times a factor.
    case times(Double)

    /// Exactly this many pixels; the pixels change their shape if the picture has another one.
    case exactly(width: Int, height: Int)

    /// As large as possible within these bounds, in the shape of the source.
    case fitting(width: Int, height: Int)
  }

  /// The file, `-` for standard output, or a pattern such as `frame%04d.png`.
  public var path: MediaPath

  /// The address that `path` is, if the output goes to the network.
  public var network: NetworkAddress?

  /// The name of the container as FFmpeg knows it; `nil` to tell by the path.
  public var format: String?

  /// Whether an existing file may be replaced.
  public var overwrite = false

  /// Files that the run reads besides its input, such as a model; they are never replaced.
  public var neverReplaced: [MediaPath] = []

  /// How large the output is.
  public var size: Size

  /// How the picture is encoded.
  public var encoder = EncoderOptions()

  /// The largest picture that is written, in pixels.
  public var maximumPixelCount = 400_000_000

  /// The names of the files, if each picture gets one of its own and there may be several.
  var pictureNames: PictureNames? { format == nil ? PictureNames(path) : nil }

  /// Options that write pictures of `size` to `path`.
  public init(_ path: MediaPath, size: Size) {
    self.path = path
    self.size = size
  }
}

/// Which part of the input is kept; without limits all of it.
///
/// Times count from the start of the upscaled stream, whatever its first time stamp is. The output
/// starts at time zero when the beginning is cut off.
public struct Part: Hashable, Sendable {
  /// Frames and packets before this time are left out.
  public var start: Duration?

  /// Frames and packets from this time on are left out.
  public var end: Duration?

  /// Only the frames with these numbers are kept, counted from zero in the whole input.
  public var frames: Range<Int>?

  /// The part from `start` up to `end` and within `frames`.
  public init(start: Duration? = nil, end: Duration? = nil, frames: Range<Int>? = nil) {
    self.start = start
    self.end = end
    self.frames = frames
  }

  /// Whether something before the part is left out.
  var beginsInside: Bool { start != nil || (frames?.lowerBound ?? 0) > 0 }
}

internal import ArgumentParser
internal import Pipeline

/// The options that say what is read.
struct InputArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The input's format, when its name or contents do not tell.",
      valueName: "format"
    )
  )
  var inputFormat: String?

  @Option(
    help: ArgumentHelp("Frames per second of an image sequence or of raw video.", valueName: "rate")
  )
  var framerate: Rational?

  @Option(
    help: ArgumentHelp("The size of raw video.", valueName: "WxH"),
    transform: SizeArgument.init(_:)
  )
  var videoSize: SizeArgument?

  @Option(help: ArgumentHelp("The pixel format of raw video, by FFmpeg's name.", valueName: "name"))
  var pixelFormat: String?

  func validate() throws {
    if inputFormat == nil, videoSize != nil || pixelFormat != nil {
      throw ValidationError(
        "--video-size and --pixel-format are for raw video: give --input-format rawvideo too"
      )
    }
    if inputFormat == "rawvideo", videoSize == nil {
      throw ValidationError("--input-format rawvideo needs --video-size, as in 640x480")
    }
  }

  /// The name of the first option that was given.
  var firstGiven: String? {
    let options = [
      ("--input-format", inputFormat != nil), ("--framerate", framerate != nil),
      ("--video-size", videoSize != nil), ("--pixel-format", pixelFormat != nil),
    ]
    return options.first { $0.1 }?.0
  }

  func options(for path: MediaPath) -> InputOptions {
    var options = InputOptions(path)
    options.format = inputFormat
    options.frameRate = framerate
    options.videoSize = videoSize.map { "\($0.width)x\($0.height)" }
    options.pixelFormat = pixelFormat
    return options
  }
}

/// The options that say what is done about pictures that are interlaced, repeated or damaged.
struct RepairArguments: ParsableArguments {
  @Option(help: "Make whole pictures of interlaced ones; auto goes by what the stream says.")
  var deinterlace = Deinterlacing.auto

  @Option(
    help: ArgumentHelp(
      """
      What has not changed since the picture before is not upscaled again: equal pictures and equal parts \
      (exact, the default), also pictures of which no sample differs by more than so many of 255 steps \
      (a number), or nothing (off). Never with --noise per-frame, which makes equal pictures differ.
      """,
      valueName: "off|exact|threshold"
    ),
    transform: DedupArgument.init(_:)
  )
  var dedup = DedupArgument.exact

  @Flag(help: "Refuse an input with any damage.")
  var strict = false

  @Option(
    help: ArgumentHelp(
      "Give up when there are more damages than this share of the pictures, 0 to 1.",
      valueName: "rate"
    )
  )
  var maxErrorRate = 1.0

  func validate() throws {
    guard (0...1).contains(maxErrorRate) else {
      throw ValidationError("--max-error-rate takes a number from 0 to 1, not \(maxErrorRate)")
    }
  }

  var damagePolicy: DamagePolicy {
    var policy = DamagePolicy()
    policy.isStrict = strict
    policy.maximumErrorRate = maxErrorRate
    return policy
  }

}

/// The options that say which part of the input is kept.
struct PartArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Begin here, counted from the first picture: seconds or HH:MM:SS.",
      valueName: "time"
    ),
    transform: TimeArgument.init(_:)
  )
  var start: TimeArgument?

  @Option(
    help: ArgumentHelp(
      "End here, counted from the first picture: seconds or HH:MM:SS.",
      valueName: "time"
    ),
    transform: TimeArgument.init(_:)
  )
  var end: TimeArgument?

  @Option(
    help: ArgumentHelp("Keep this much from the beginning.", valueName: "time"),
    transform: TimeArgument.init(_:)
  )
  var duration: TimeArgument?

  @Option(
    help: ArgumentHelp("Keep frames A to B - 1, counted from 0.", valueName: "A:B"),
    transform: FramesArgument.init(_:)
  )
  var frames: FramesArgument?

  func validate() throws {
    guard end == nil || duration == nil else {
      throw ValidationError("--end and --duration exclude each other")
    }
    let begin = start?.duration ?? .zero
    if let last = part.end, last <= begin {
      throw ValidationError("nothing is left between --start and --end")
    }
  }

  var part: Part {
    let begin = start?.duration ?? .zero
    return Part(
      start: start?.duration,
      end: end?.duration ?? duration.map { begin + $0.duration },
      frames: frames?.range,
    )
  }
}

/// The options that say how the picture is encoded.
struct EncoderArguments: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "libx264, libx265, libsvtav1, libvpx-vp9, ffv1, prores_ks, … (default: by the output's name)",
      valueName: "name"
    )
  )
  var codec: String?

  @Option(
    help: ArgumentHelp(
      "Constant quality on the encoder's scale: lower is better and larger (with libtheora higher).",
      valueName: "n"
    )
  )
  var crf: Double?

  @Option(help: ArgumentHelp("Speed against size, by the encoder's own names.", valueName: "name"))
  var encoderPreset: String?

  @Option(
    help: ArgumentHelp("The output's pixel format (default: as the input's).", valueName: "name")
  )
  var pixFmt: String?

  @Option(
    name: [.customShort("e"), .long],
    help: ArgumentHelp("An option of the encoder; may be repeated.", valueName: "key=value")
  )
  var encoderOption: [EncoderOptions.Option] = []

  func options(threads: Int?) -> EncoderOptions {
    var options = EncoderOptions()
    options.codec = codec
    options.crf = crf
    options.preset = encoderPreset
    options.pixelFormat = pixFmt
    options.options = encoderOption
    options.threads = threads ?? 0
    return options
  }
}

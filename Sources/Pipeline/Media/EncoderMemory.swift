internal import Engine

/// About how much memory an encoder takes, measured on Debian 12's libraries as multiples of a picture.
struct EncoderMemory {
  /// What an encoder keeps besides pictures that it looks ahead at.
  private struct Rate {
    /// Pictures whatever the settings.
    var fixed: Double

    /// Pictures for each thread.
    var perThread: Double

    /// Pictures for each one that it looks ahead.
    var perLookahead = 0.0

    /// How far the presets look ahead and, as pictures, what else they keep more than the usual one.
    var presets: [String: (lookahead: Int, extra: Double)] = [:]
  }

  /// How far the encoder looks ahead, in pictures.
  private(set) var lookahead: Int

  /// The threads that encode.
  private(set) var threads: Int

  private let rate: Rate
  private let extra: Double
  private let pictureByteCount: Int
  private let mayLookLess: Bool
  private let mayHaveFewerThreads: Bool

  // Below that, quality suffers more than memory gains.
  private static let shortestLookahead = 5

  // x264 looks no further whatever it is told, and x265 refuses to.
  private static let longestLookahead = 250

  init(_ profile: EncoderProfile, _ settings: EncoderSettings) {
    let options = settings.options
    let rate = Self.rates[profile.name] ?? Self.other
    self.rate = rate
    let name = options.preset ?? profile.defaults["preset"] ?? "medium"
    let preset = rate.presets[name] ?? rate.presets["medium"] ?? (0, 0)
    // As an option of its own, or among x264-params or x265-params.
    let words = options.options.flatMap { option in
      option.key.hasSuffix("-params")
        ? option.value.split(separator: ":").map(String.init) : ["\(option.key)=\(option.value)"]
    }
    let given = words.last { $0.hasPrefix("rc-lookahead=") }
      .flatMap { Int($0.dropFirst("rc-lookahead=".count)) }
    mayLookLess =
      given == nil && rate.perLookahead > 0
      && !options.options.contains { $0.key.hasSuffix("-params") }
    lookahead = min(max(given ?? preset.lookahead, 0), Self.longestLookahead)
    extra = preset.extra
    mayHaveFewerThreads = options.threads == 0
    // x264 takes half as many again as there are processors.
    threads = options.threads > 0 ? options.threads : (Machine.processorCount * 3 + 1) / 2
    pictureByteCount = settings.target.layout.byteCount(
      width: settings.target.codedSize.width,
      height: settings.target.codedSize.height,
    )
  }

  /// The memory that the encoder takes, in bytes.
  var byteCount: Int {
    let pictures =
      rate.fixed + extra + Double(threads) * rate.perThread
      + Double(lookahead) * rate.perLookahead
    return Int(pictures * Double(pictureByteCount))
  }

  /// Looks less far ahead, and then takes fewer threads, until the limit in bytes is kept or nothing is
  /// left to save.
  mutating func limit(to limit: Int) {
    while byteCount > limit {
      if mayLookLess, lookahead > Self.shortestLookahead {
        lookahead -= 1
      } else if mayHaveFewerThreads, threads > 1 {
        threads -= 1
      } else {
        return
      }
    }
  }

  private static let rates = [
    "libx264": x264, "libx264rgb": x264,
    "libx265": Rate(
      fixed: 60,
      perThread: 12,
      perLookahead: 2.8,
      presets: [
        "ultrafast": (5, 0), "superfast": (10, 0), "veryfast": (15, 0), "faster": (15, 0),
        "fast": (15, 0), "medium": (20, 0), "slow": (25, 10), "slower": (40, 30),
        "veryslow": (40, 30), "placebo": (60, 30),
      ],
    ),
    "libsvtav1": Rate(fixed: 150, perThread: 10),
    "libaom-av1": Rate(fixed: 150, perThread: 5),
    "libvpx-vp9": Rate(fixed: 100, perThread: 3),
    "ffv1": Rate(fixed: 100, perThread: 5),
  ]

  private static let x264 = Rate(
    fixed: 22,
    perThread: 7.5,
    perLookahead: 2.2,
    presets: [
      "ultrafast": (0, 0), "superfast": (0, 0), "veryfast": (10, 0), "faster": (20, 0),
      "fast": (30, 0), "medium": (40, 0), "slow": (50, 12), "slower": (60, 30),
      "veryslow": (60, 90), "placebo": (60, 90),
    ],
  )

  // One picture after the other; the queue behind holds finished ones.
  private static let other = Rate(fixed: 24, perThread: 4)
}

extension PixelLayout {
  /// The memory of a picture's samples.
  func byteCount(width: Int, height: Int) -> Int {
    let chroma = planes.count > 1 ? 2 * (width >> chromaShift.x) * (height >> chromaShift.y) : 0
    let samples = width * height + chroma + (hasAlpha ? width * height : 0)
    return samples * (isFloat ? 4 : depth > 8 ? 2 : 1)
  }
}

internal import FFmpegC

/// How one encoder wants to be told about quality and speed, and what it gets when nobody says.
struct EncoderProfile {
  /// How a preset is passed on.
  enum Preset {
    /// Under this name, with one of these words.
    case named(String, among: [String])

    /// Under this name as a number; the names of x264's presets are translated.
    case level(String, from: [String: Int])
  }

  /// Where a decoder reads whether all codes are used, or 16…235 for 8 bits.
  enum RangeTag: Hashable {
    case inStream, inContainer, nowhere
  }

  /// The same step for every picture: in MPEG's codecs 2 is the finest usual one, 31 the coarsest.
  struct Step {
    let usual: Double
    var range = 1.0...31.0

    // 118 of libav's units are one. No rate, or program streams would be timed by one that is not kept.
    static func settings(_ step: Double) -> [String: String] {
      ["flags": "+qscale", "global_quality": String(Int((step * 118).rounded())), "b": "0"]
    }
  }

  let name: String

  /// The setting that means constant quality, the usual value and the possible ones, which not every
  /// encoder minds itself; `nil` if there is none.
  var quality: (key: String, usual: String, range: ClosedRange<Double>)?
  var preset: Preset?

  /// Settings that are always made first.
  var defaults: [String: String] = [:]

  /// Settings that are made next if every picture has to leave at once.
  var live: [String: String] = [:]

  /// The step between levels, usual and possible ones, where that stands for quality; it is not set if the
  /// user names a rate.
  var step: Step?

  /// Whether chroma planes of odd pictures may be rounded up.
  var acceptsOddSizes = false

  /// The pixel formats that are taken where the encoder does not say; empty when it takes any.
  var formats: [AVPixelFormat] = []

  /// How it is told which light pictures were mastered for; `nil` if it cannot write that.
  var light: (key: String, settings: @Sendable (MasteringLight) -> [String])?

  /// Whether messages for each picture can be put into what it makes.
  var takesDynamicLight = false

  /// What it writes of the data that a picture carries.
  var carried: Set<FrameData.Kind> = []

  /// Whether times are counted in frames, because the codec has no finer clock.
  var countsFrames = false

  /// Where it is said which range the pictures have; some decoders ignore what the container says.
  var rangeTag = RangeTag.nowhere

  /// Whether what it makes says which matrix the pictures have.
  var tagsMatrix = false
}

extension EncoderProfile {
  static let all: [EncoderProfile] = [
    // As good as "medium" at 18 and about as large, in 40% of the time: Docs/performance.md.
    EncoderProfile(
      name: "libx264",
      quality: ("crf", "17", 0...51),
      preset: .named("preset", among: names),
      defaults: ["preset": "veryfast"],
      live: ["tune": "zerolatency"],
      carried: [.captions],
      rangeTag: .inStream,
      tagsMatrix: true
    ),
    EncoderProfile(
      name: "libx264rgb",
      quality: ("crf", "17", 0...51),
      preset: .named("preset", among: names),
      defaults: ["preset": "veryfast"],
      live: ["tune": "zerolatency"],
      rangeTag: .inStream,
      tagsMatrix: true
    ),
    EncoderProfile(
      name: "libx265",
      quality: ("crf", "20", 0...51),
      preset: .named("preset", among: names),
      defaults: ["x265-params": "log-level=error"],
      live: ["preset": "ultrafast", "tune": "zerolatency"],
      light: ("x265-params", { $0.x265 }),
      takesDynamicLight: true,
      rangeTag: .inStream,
      tagsMatrix: true
    ),
    EncoderProfile(
      name: "libsvtav1",
      quality: ("crf", "25", 0...63),
      preset: .level("preset", from: levels(12, 11, 10, 9, 8, 7, 5, 4, 3, 2)),
      defaults: ["preset": "8"],
      live: ["preset": "12", "svtav1-params": "pred-struct=1"],
      light: ("svtav1-params", { $0.svtAV1 }),
      rangeTag: .inStream,
      tagsMatrix: true
    ),
    EncoderProfile(
      name: "libaom-av1",
      quality: ("crf", "24", 0...63),
      preset: .level("cpu-used", from: levels(8, 8, 7, 6, 6, 5, 4, 3, 2, 1)),
      defaults: ["b": "0", "cpu-used": "6", "row-mt": "1"],
      live: ["cpu-used": "8", "lag-in-frames": "0", "usage": "realtime"],
      acceptsOddSizes: true,
      rangeTag: .inStream,
      tagsMatrix: true
    ),
    EncoderProfile(
      name: "libvpx-vp9",
      quality: ("crf", "24", 0...63),
      preset: .level("cpu-used", from: levels(8, 7, 6, 5, 4, 3, 2, 1, 0, 0)),
      defaults: ["b": "0", "cpu-used": "4", "row-mt": "1", "deadline": "good"],
      live: ["cpu-used": "8", "deadline": "realtime", "lag-in-frames": "0"],
      acceptsOddSizes: true,
      rangeTag: .inStream,
      tagsMatrix: true
    ),
    EncoderProfile(
      name: "ffv1",
      defaults: ["level": "3", "slicecrc": "1"],
      acceptsOddSizes: true,
      rangeTag: .inContainer
    ),
    EncoderProfile(
      name: "prores_ks",
      preset: .named("profile", among: ["proxy", "lt", "standard", "hq", "4444", "4444xq"]),
      tagsMatrix: true
    ),
    EncoderProfile(
      name: "mjpeg",
      step: Step(usual: 2),
      acceptsOddSizes: true,
      rangeTag: .inStream
    ),
    EncoderProfile(name: "mpeg1video", step: Step(usual: 3), countsFrames: true),
    EncoderProfile(
      name: "mpeg2video",
      step: Step(usual: 3),
      carried: [.captions],
      countsFrames: true,
      tagsMatrix: true
    ),
    EncoderProfile(
      name: "mpeg4",
      step: Step(usual: 3),
      countsFrames: true,
      rangeTag: .inContainer
    ),
    EncoderProfile(name: "libxvid", step: Step(usual: 3)),
    EncoderProfile(name: "msmpeg4", step: Step(usual: 3)),
    EncoderProfile(name: "msmpeg4v2", step: Step(usual: 3)),
    EncoderProfile(name: "wmv1", step: Step(usual: 3)),
    EncoderProfile(name: "wmv2", step: Step(usual: 3)),
    EncoderProfile(name: "flv", step: Step(usual: 3)),
    // Has a scale of its own, up to 10 for the best.
    EncoderProfile(name: "libtheora", step: Step(usual: 8, range: 0...10), countsFrames: true),
    EncoderProfile(name: "libwebp", defaults: ["quality": "90"], acceptsOddSizes: true),
    EncoderProfile(name: "libwebp_anim", defaults: ["quality": "90"], acceptsOddSizes: true),
    EncoderProfile(name: "png", acceptsOddSizes: true, carried: [.profile]),
    EncoderProfile(name: "bmp", acceptsOddSizes: true),
    EncoderProfile(name: "tiff", acceptsOddSizes: true),
    EncoderProfile(name: "rawvideo", acceptsOddSizes: true, rangeTag: .inContainer),
    // Hands pictures to YUV4MPEG2 as they are.
    EncoderProfile(
      name: "wrapped_avframe",
      acceptsOddSizes: true,
      formats: yuv4mpeg,
      rangeTag: .inContainer
    ),
  ]

  private static let yuv4mpeg = [
    AV_PIX_FMT_GRAY8, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P,
    AV_PIX_FMT_YUV411P, AV_PIX_FMT_GRAY16LE, AV_PIX_FMT_YUV420P10LE, AV_PIX_FMT_YUV422P10LE,
    AV_PIX_FMT_YUV444P10LE, AV_PIX_FMT_YUV420P12LE, AV_PIX_FMT_YUV422P12LE,
    AV_PIX_FMT_YUV444P12LE, AV_PIX_FMT_YUV420P16LE, AV_PIX_FMT_YUV422P16LE,
    AV_PIX_FMT_YUV444P16LE,
  ]

  /// The names of formats, and the encoders tried for them in this order.
  private static let families: [String: [String]] = [
    "h264": ["libx264"], "avc": ["libx264"], "x264": ["libx264"],
    "h265": ["libx265"], "hevc": ["libx265"], "x265": ["libx265"],
    "av1": ["libsvtav1", "libaom-av1"], "svtav1": ["libsvtav1"], "aom": ["libaom-av1"],
    "vp9": ["libvpx-vp9"], "prores": ["prores_ks"], "raw": ["rawvideo"],
  ]

  /// The profile of the encoder that the user means by `name`.
  ///
  /// - Throws: A ``MediaError`` of kind `usage` that names the nearest one.
  init(named name: String) throws(MediaError) {
    let candidates = EncoderProfile.families[name.lowercased()] ?? [name]
    guard let found = candidates.first(where: { unsafe avcodec_find_encoder_by_name($0) != nil })
    else {
      let known = EncoderProfile.all.map(\.name) + EncoderProfile.families.keys.sorted()
      let nearest = name.nearest(in: known).map { "; did you mean '\($0)'?" } ?? ""
      throw MediaError(.usage, .use, "codec '\(name)'", "no such encoder" + nearest)
    }
    self = EncoderProfile.all.first { $0.name == found } ?? EncoderProfile(name: found)
  }

  // x264's names from fastest to slowest; other encoders' levels are given in the same order.
  private static let names = [
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower",
    "veryslow", "placebo",
  ]

  private static func levels(_ levels: Int...) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: zip(names, levels))
  }
}

extension EncoderProfile {
  /// The settings that `options` ask for, in the order in which they are made, for pictures that were
  /// mastered for `light`.
  ///
  /// - Throws: A ``MediaError`` of kind `usage` for what this encoder does not have.
  func settings(
    _ options: EncoderOptions,
    light data: [SideData] = [],
  ) throws(MediaError) -> [EncoderOptions.Option] {
    let quality = try setting(options)
    var usual = options.isLive ? defaults.merging(live) { $1 } : defaults
    if let step, !options.options.contains(where: { $0.key == "b" }) {
      usual.merge(Step.settings(options.crf ?? step.usual)) { $1 }
    }
    var settings = usual.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    if let preset = options.preset { settings.append(try setting(preset: preset)) }
    if let quality { settings.append(quality) }
    if let light {
      settings += light.settings(MasteringLight(data)).map { (light.key, $0) }
    }
    let all = settings.map { EncoderOptions.Option(key: $0.0, value: $0.1) } + options.options
    return EncoderProfile.joined(all)
  }

  // A list of the encoder's own settings replaces the one before: all go into the last.
  private static func joined(_ settings: [EncoderOptions.Option]) -> [EncoderOptions.Option] {
    let lists = settings.filter { $0.key.hasSuffix("-params") }
    return settings.filter { !$0.key.hasSuffix("-params") }
      + Set(lists.map(\.key)).sorted().map { key in
        let values = lists.filter { $0.key == key }.map(\.value)
        return EncoderOptions.Option(key: key, value: values.joined(separator: ":"))
      }
  }

  private func setting(preset name: String) throws(MediaError) -> (String, String) {
    switch preset {
    case .named(let key, let words):
      guard words.contains(name) else { throw unknown(preset: name, words) }
      return (key, name)
    case .level(let key, let levels):
      guard let level = levels[name] ?? Int(name) else {
        throw unknown(preset: name, EncoderProfile.names + ["a number"])
      }
      return (key, String(level))
    case nil:
      throw MediaError(.usage, .use, "preset '\(name)'", "\(self.name) has no presets")
    }
  }

  private func unknown(preset name: String, _ words: [String]) -> MediaError {
    let known = words.joined(separator: ", ")
    return MediaError(.usage, .use, "preset '\(name)'", "\(self.name) knows \(known)")
  }

  // Who names a rate or another measure of quality does not want the usual one beside it.
  private static let rates: Set<String> = ["b", "crf", "qp", "global_quality"]

  private func setting(_ options: EncoderOptions) throws(MediaError) -> (String, String)? {
    let own = options.options.first { EncoderProfile.rates.contains($0.key) }
    guard let crf = options.crf else {
      return own == nil ? quality.map { ($0.key, $0.usual) } : nil
    }
    let number = Int(exactly: crf).map(String.init) ?? String(crf)
    if let own {
      let reason = "encoder option '\(own.key)=\(own.value)' says something else; give one of them"
      throw MediaError(.usage, .use, "crf \(number)", reason)
    }
    guard let range = quality?.range ?? step?.range else {
      throw MediaError(.usage, .use, "crf \(number)", "\(name) has no constant quality")
    }
    guard range.contains(crf) else {
      let (least, most) = (Int(range.lowerBound), Int(range.upperBound))
      throw MediaError(.usage, .use, "crf \(number)", "\(name) takes \(least) to \(most)")
    }
    return quality.map { ($0.key, number) }
  }
}

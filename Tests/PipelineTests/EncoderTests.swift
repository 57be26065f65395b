import FFmpegC
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Pipeline

@Suite struct EncoderTests {
  private func encoder(
    _ name: String,
    _ change: (inout EncoderOptions) -> Void = { _ in },
  ) throws -> Encoder {
    let (candidate, settings) = try settings(name, change)
    return try Encoder(candidate, settings)
  }

  private func settings(
    _ name: String,
    _ change: (inout EncoderOptions) -> Void,
  ) throws -> (EncoderCandidate, EncoderSettings) {
    MediaLog.silenced
    let candidate = try EncoderCandidate(named: name)
    let layout = try #require(PixelLayout(AV_PIX_FMT_YUV420P))
    var options = EncoderOptions()
    options.threads = 1
    change(&options)
    let tags = ColorSpec(
      matrix: .bt709,
      primaries: 2,
      transfer: 2,
      range: .limited,
      chroma: .left
    )
    let target = try PictureTarget(
      width: 64,
      height: 64,
      source: layout,
      color: tags,
      requested: options.pixelFormat,
      encoder: candidate
    )
    let settings = EncoderSettings(
      target: target,
      timeBase: Rational(1, 25),
      frameRate: Rational(25, 1),
      pixelShape: Rational(1, 1),
      options: options,
      format: nil
    )
    return (candidate, settings)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    "libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9", "ffv1", "prores_ks", "mjpeg",
    "png", "libwebp", "h264", "hevc", "av1", "vp9", "prores", "mpeg1video", "mpeg2video", "mpeg4",
    "libxvid", "msmpeg4", "msmpeg4v2", "wmv1", "wmv2", "flv", "libtheora",
  ])
  func opensWithItsUsualSettings(name: String) throws {
    _ = try encoder(name)
  }

  @Test func x264IsFastAndGoodUnlessTold() throws {
    let profile = try EncoderProfile(named: "h264")
    var options = EncoderOptions()
    #expect(try profile.settings(options).map(\.value) == ["veryfast", "17"])
    options.preset = "slow"
    options.crf = 20
    #expect(try profile.settings(options).map(\.value) == ["veryfast", "slow", "20"])
    // A rate that is asked for stands alone, or x264 would keep to the quality.
    options.crf = nil
    options.options = [EncoderOptions.Option(key: "b", value: "1M")]
    #expect(try profile.settings(options).map(\.value) == ["veryfast", "slow", "1M"])
  }

  @Test func encodersWithoutAQualityKeepTheirStepUnlessARateIsNamed() throws {
    let profile = try EncoderProfile(named: "mpeg2video")
    func values(_ key: String, _ value: String) throws -> [String] {
      var options = EncoderOptions()
      options.options = [.init(key: key, value: value)]
      return try profile.settings(options).map(\.value)
    }
    #expect(try profile.settings(EncoderOptions()).map(\.value) == ["0", "+qscale", "354"])
    #expect(try values("global_quality", "118") == ["0", "+qscale", "354", "118"])
    #expect(try values("b", "1M") == ["1M"])
    var options = EncoderOptions()
    options.crf = 4.5
    #expect(try profile.settings(options).map(\.value) == ["0", "+qscale", "531"])
  }

  @Test(arguments: ["libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9"])
  func understandsQualityAndThePresetsOfX264(name: String) throws {
    for preset in ["ultrafast", "medium", "placebo"] {
      _ = try encoder(name) {
        $0.crf = 30
        $0.preset = preset
      }
    }
  }

  // SVT-AV1 takes the highest real-time priority where it may: where root runs it.
  @Test func threadsKeepTheirPriority() throws {
    _ = try encoder("libsvtav1")
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
    #expect(threads.count > 10)
    #expect(threads.compactMap { Int32($0) }.allSatisfy { sched_getscheduler($0) != SCHED_FIFO })
  }

  @Test func saysWhyAnEncoderCannotBeOpened() {
    let text = message {
      _ = try encoder("libx264") {
        $0.pixelFormat = "yuv444p"
        $0.options = [.init(key: "profile", value: "baseline")]
      }
    }
    #expect(text.hasPrefix("cannot use codec 'libx264': "))
  }

  @Test func namesTheNearestEncoder() {
    #expect(
      message { _ = try encoder("libx246") }
        == "cannot use codec 'libx246': no such encoder; did you mean 'libx264'?"
    )
  }

  @Test func namesTheNearestOption() {
    #expect(
      message { _ = try encoder("libx264") { $0.options = [.init(key: "prset", value: "fast")] } }
        == "cannot use encoder option 'prset=fast': libx264 has no such option; "
        + "did you mean 'preset'?"
    )
  }

  @Test func refusesAValueThatAnOptionCannotHave() {
    let text = message {
      _ = try encoder("libx264") { $0.options = [.init(key: "bf", value: "many")] }
    }
    #expect(text.hasPrefix("cannot use encoder option 'bf=many': "))
  }

  // The encoder refuses it, or looks as far as it can; its memory is asked for before.
  @Test(arguments: [
    ("libx264", "rc-lookahead", ""), ("libx264", "x264-params", "rc-lookahead="),
    ("libx265", "x265-params", "rc-lookahead="),
  ])
  func absurdLookaheadTakesNoAbsurdMemory(name: String, key: String, prefix: String) throws {
    func byteCount(_ lookahead: Int) throws -> Int {
      let (candidate, settings) = try settings(name) {
        $0.options = [.init(key: key, value: "\(prefix)\(lookahead)")]
      }
      return EncoderMemory(candidate.profile, settings).byteCount
    }
    #expect(try byteCount(.max) == byteCount(250))
    #expect(try byteCount(250) > byteCount(249))
    #expect(try byteCount(.min) == byteCount(0))
  }

  @Test func refusesAnUnknownPreset() {
    let text = message { _ = try encoder("libx264") { $0.preset = "fasst" } }
    #expect(text.hasPrefix("cannot use preset 'fasst': libx264 knows ultrafast, superfast, "))
  }

  @Test func refusesQualityWhereThereIsNone() {
    #expect(
      message { _ = try encoder("ffv1") { $0.crf = 20 } }
        == "cannot use crf 20: ffv1 has no constant quality"
    )
  }

  // x264 and x265 take the nearest possible value instead, and say nothing.
  @Test(arguments: [
    ("libx264", -1, "0 to 51"), ("libx265", 52, "0 to 51"), ("libvpx-vp9", 1000, "0 to 63"),
    ("mpeg4", 0, "1 to 31"), ("libtheora", 11, "0 to 10"), ("mpeg2video", 1e300, "1 to 31"),
  ])
  func refusesAQualityThatThereIsNot(name: String, crf: Double, range: String) {
    let text = message { _ = try encoder(name) { $0.crf = crf } }
    #expect(text.hasPrefix("cannot use crf "))
    #expect(text.hasSuffix(": \(name) takes \(range)"))
  }

  @Test func refusesAPixelFormatThatTheEncoderDoesNotTake() {
    let text = message { _ = try encoder("libvpx-vp9") { $0.pixelFormat = "rgb24" } }
    #expect(text.hasPrefix("cannot use pixel format 'rgb24': libvpx-vp9 takes yuv420p, "))
  }

  @Test func refusesAPixelFormatThatDoesNotExist() {
    #expect(
      message { _ = try encoder("libx264") { $0.pixelFormat = "yuv421p" } }
        == "cannot use pixel format 'yuv421p': no such format"
    )
  }

  @Test(arguments: [
    (AV_PIX_FMT_YUV420P, "yuv420p"), (AV_PIX_FMT_YUV420P10LE, "yuv420p10le"),
    (AV_PIX_FMT_YUV444P, "yuv444p"), (AV_PIX_FMT_YUVJ420P, "yuv420p"),
    (AV_PIX_FMT_GRAY8, "gray"), (AV_PIX_FMT_NV12, "yuv420p"), (AV_PIX_FMT_YUVA420P, "yuv420p"),
    (AV_PIX_FMT_YUV422P12LE, "yuv422p10le"), (AV_PIX_FMT_RGB24, "yuv444p"),
  ])
  func keepsDepthAndSubsamplingOfTheSource(format: AVPixelFormat, expected: String) throws {
    let source = try #require(PixelLayout(format))
    let candidate = try EncoderCandidate(named: "libx264")
    #expect(try candidate.layout(nearestTo: source).name == expected)
  }
}

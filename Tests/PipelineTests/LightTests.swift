import Engine
import FFmpegC
import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Data about light that goes around the network.
@Suite struct LightTests {
  @Test func dynamicLightOfEveryPictureSurvivesEncoding() throws {
    MediaLog.silenced
    let folder = try TemporaryFolder()
    let lights = try (1...5).map { try #require(DynamicLight(try picture(brightness: $0 * 1000))) }
    #expect(Set(lights).count == 5)
    var encoder = try Encoder(try EncoderCandidate(named: "libx265"), settings())
    var stream = Data()
    for (number, light) in lights.enumerated() {
      let time = FrameTime(pts: Int64(number), duration: 1)
      try encoder.send(try picture(brightness: 1), time, nil, light)
      try drain(&encoder, into: &stream)
    }
    try encoder.finish()
    try drain(&encoder, into: &stream)
    let path = folder.path("light.hevc")
    try stream.write(to: URL(fileURLWithPath: path))

    var found: [DynamicLight?] = []
    var opened = try OpenedInput(InputOptions(MediaPath(path)), Cancellation())
    while let packet = try opened.demuxer.read() { try opened.pictures.send(packet) }
    opened.pictures.finish()
    while let frame = try opened.pictures.next() { found.append(DynamicLight(frame)) }
    #expect(found == lights)
  }

  @Test func severalWindowsAreNotPassedOn() throws {
    let frame = try picture(brightness: 100)
    let data = try #require(
      av_frame_get_side_data(frame.native, AV_FRAME_DATA_DYNAMIC_HDR_PLUS)?.pointee.data
    )
    UnsafeMutableRawPointer(data).assumingMemoryBound(to: AVDynamicHDRPlus.self)
      .pointee.num_windows = 2
    #expect(DynamicLight(frame) == nil)
  }

  @Test func encodersAreToldWhichLightPicturesWereMasteredFor() throws {
    var display = AVMasteringDisplayMetadata()
    func fraction(_ number: Int32) -> AVRational { AVRational(num: number, den: 50_000) }
    display.display_primaries = (
      (fraction(35_400), fraction(14_600)), (fraction(8500), fraction(39_850)),
      (fraction(6550), fraction(2300))
    )
    display.white_point = (fraction(15_635), fraction(16_450))
    display.max_luminance = AVRational(num: 1000, den: 1)
    display.min_luminance = AVRational(num: 1, den: 10_000)
    display.has_primaries = 1
    display.has_luminance = 1
    var level = AVContentLightMetadata()
    level.MaxCLL = 1000
    level.MaxFALL = 400
    let light = MasteringLight([
      SideData(
        type: AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
        bytes: withUnsafeBytes(of: display) { Array($0) }
      ),
      SideData(
        type: AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
        bytes: withUnsafeBytes(of: level) { Array($0) }
      ),
    ])
    #expect(
      light.x265 == [
        "master-display=G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(10000000,1)",
        "max-cll=1000,400",
      ]
    )
    #expect(light.svtAV1[1] == "content-light=1000,400")
    #expect(light.svtAV1[0].hasSuffix("WP(0.3127,0.329)L(1000.0,0.0001)"))
  }

  @Test func settingsOfTheUserJoinThoseOfTheProgram() throws {
    let profile = try EncoderProfile(named: "libx265")
    var options = EncoderOptions()
    options.options = [.init(key: "x265-params", value: "keyint=5")]
    let settings = try profile.settings(options)
    #expect(settings.last?.value == "log-level=error:keyint=5")
    #expect(settings.filter { $0.key == "x265-params" }.count == 1)
  }

  // A grey picture with HDR10+ data of one window.
  private func picture(brightness: Int) throws -> Frame {
    let frame = try Frame(width: 64, height: 64, format: AV_PIX_FMT_YUV420P10LE)
    try check(av_frame_make_writable(frame.native), .use, "picture")
    for plane in [frame.native.pointee.data.0, frame.native.pointee.data.1] {
      try #require(plane).update(repeating: 1, count: 64 * 32)
    }
    let light = try #require(av_dynamic_hdr_plus_create_side_data(frame.native))
    light.pointee.application_version = 1
    light.pointee.num_windows = 1
    light.pointee.targeted_system_display_maximum_luminance = AVRational(num: 400, den: 1)
    func fraction(_ number: Int) -> AVRational { AVRational(num: Int32(number), den: 100_000) }
    light.pointee.params.0.maxscl = (fraction(brightness), fraction(0), fraction(65_536))
    light.pointee.params.0.average_maxrgb = fraction(brightness / 2)
    light.pointee.params.0.num_distribution_maxrgb_percentiles = 1
    light.pointee.params.0.distribution_maxrgb.0.percentage = 99
    light.pointee.params.0.distribution_maxrgb.0.percentile = fraction(brightness)
    light.pointee.params.0.fraction_bright_pixels = AVRational(num: 7, den: 1000)
    light.pointee.params.0.tone_mapping_flag = 1
    light.pointee.params.0.knee_point_x = AVRational(num: 1000, den: 4095)
    light.pointee.params.0.knee_point_y = AVRational(num: 2000, den: 4095)
    light.pointee.params.0.num_bezier_curve_anchors = 2
    light.pointee.params.0.bezier_curve_anchors.0 = AVRational(num: 100, den: 1023)
    light.pointee.params.0.bezier_curve_anchors.1 = AVRational(num: 900, den: 1023)
    light.pointee.params.0.color_saturation_mapping_flag = 1
    light.pointee.params.0.color_saturation_weight = AVRational(num: 5, den: 8)
    return frame
  }

  private func settings() throws -> EncoderSettings {
    let layout = try #require(PixelLayout(AV_PIX_FMT_YUV420P10LE))
    let color = ColorSpec(
      matrix: .bt2020,
      primaries: 9,
      transfer: 16,
      range: .limited,
      chroma: .left
    )
    var options = EncoderOptions()
    options.threads = 1
    return EncoderSettings(
      target: PictureTarget(width: 64, height: 64, layout: layout, color: color),
      timeBase: Rational(1, 25),
      frameRate: Rational(25, 1),
      pixelShape: Rational(1, 1),
      options: options,
      format: nil
    )
  }

  private func drain(_ encoder: inout Encoder, into stream: inout Data) throws {
    while let packet = try encoder.receive() {
      stream.append(packet.native.pointee.data, count: packet.byteCount)
    }
  }
}

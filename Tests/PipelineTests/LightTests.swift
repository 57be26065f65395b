import Engine
import FFmpegC
import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Data about light that goes around the network.
@Suite struct LightTests {
  @Test func dynamicLightOfEveryPictureSurvivesEncoding() throws {
    let folder = try TemporaryFolder()
    let lights = try (1...5).compactMap { try LightSample.light(brightness: $0 * 1000) }
    #expect(Set(lights).count == 5)
    try LightSample.write(lights, to: folder.path("light.hevc"))
    let found = try LightSample.read(folder.path("light.hevc")) { DynamicLight($0, .unchanged) }
    #expect(found == lights)
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
}

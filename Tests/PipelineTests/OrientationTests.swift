import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Pictures that have to be turned, mirrored or stretched to be shown.
@Suite struct OrientationTests {
  @Test(arguments: [90, 180, 270])
  func turnsPicturesUpright(angle: Int) throws {
    let folder = try TemporaryFolder()
    let plain = try madeClip(folder, "plain.mp4")
    let turned = folder.path("turned.mp4")
    try turn(plain, by: angle, into: turned)
    let info = try MediaInfo(reading: InputOptions(MediaPath(turned)))
    #expect(info.streams.first?.picture?.quarterTurns ?? 0 > 0)
    try expectUpright(turned, folder)
  }

  // EXIF data of a photo, and a message of H.264 in a file without a matrix of its own.
  @Test(arguments: ["in.jpg", "in.mkv"])
  func turnsPicturesUprightThatSayItThemselves(name: String) throws {
    let folder = try TemporaryFolder()
    let turned = folder.path("turned-" + name)
    if name.hasSuffix("jpg") {
      let plain = try madeClip(folder, name, extra: OrientationTests.photo)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: plain))
      bytes.insert(contentsOf: OrientationTests.quarterTurnInEXIF, at: 2)
      try bytes.write(to: URL(fileURLWithPath: turned))
    } else {
      let plain = try madeClip(folder, name)
      let message = "h264_metadata=display_orientation=insert:rotate=90"
      let arguments = ["-v", "error", "-i", plain, "-c", "copy", "-bsf:v", message, turned]
      try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    }
    let transcode = try Transcode(options(turned, folder.path("out.y4m")))
    #expect((transcode.plan.width, transcode.plan.height) == (96, 128))
    try expectUpright(turned, folder)
  }

  @Test func saysThatALaterPhotoAsksForAnotherTurn() throws {
    let folder = try TemporaryFolder()
    let plain = try madeClip(folder, "p1.jpg", extra: OrientationTests.photo)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: plain))
    bytes.insert(contentsOf: OrientationTests.quarterTurnInEXIF, at: 2)
    try bytes.write(to: URL(fileURLWithPath: folder.path("p2.jpg")))
    let transcode = try Transcode(options(folder.path("p%d.jpg"), folder.path("out%d.png")))
    #expect(try transcode.run(upscale: nearest(2)).changes == [.orientation])
  }

  @Test func saysThatPicturesAreTurnedByQuartersOnly() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.mp4")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    // The matrix lies 40 bytes behind the name of the first track's header; 46341/65536 is √½.
    let header = try #require(bytes.range(of: Data("tkhd".utf8)))
    for (number, value) in [46_341, 46_341, 0, -46_341, 46_341].enumerated() {
      let place = header.upperBound + 40 + number * 4
      withUnsafeBytes(of: Int32(value).bigEndian) {
        bytes.replaceSubrange(place..<(place + 4), with: $0)
      }
    }
    try bytes.write(to: URL(fileURLWithPath: input))
    let plan = try Transcode(options(input, folder.path("out.mkv"))).plan
    #expect((plan.width, plan.height) == (128, 96))
    let warnings = plan.notices.filter { $0.level == .warning }
    #expect(warnings.count == 1 && warnings[0].text.contains("no quarter turn"))
  }

  private static let photo = ["-an", "-frames:v", "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]

  // One entry, tag 0x112 with the number 6: a quarter turn clockwise.
  private static let quarterTurnInEXIF: [UInt8] =
    [0xFF, 0xE1, 0, 34] + Array("Exif\0\0MM\0*".utf8)
    + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]

  @Test func anUnknownPixelShapeStaysUnknown() throws {
    let folder = try TemporaryFolder()
    let plain = try madeClip(folder, "plain.mp4", extra: ["-vf", "setsar=0"])
    let turned = folder.path("turned.mp4")
    try turn(plain, by: 90, into: turned)
    _ = try Transcode(options(turned, folder.path("out.y4m"))).run(upscale: nearest(2))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path("out.y4m")))
    #expect(String(decoding: bytes.prefix(40), as: UTF8.self).contains(" W96 H128 F25:1 Ip A0:0 "))
  }

  @Test(.enabled(if: SharedFolder.media.isExpected))
  func turnsMirroredPicturesUpright() throws {
    let input = try SharedFolder.media.path("mp4_sample_rotate_and_reflect.mp4")
    try expectUpright(input, try TemporaryFolder())
  }

  private func turn(_ input: String, by angle: Int, into output: String) throws {
    let made = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-display_rotation", "\(angle)", "-i", input, "-c", "copy", output]
    )
    guard made.exitCode != 0 else { return }
    // FFmpeg 5.1 sets the rotation by a tag instead.
    let tagged = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-i", input, "-c", "copy", "-metadata:s:v", "rotate=\(angle)", output]
    )
    try #require(tagged.exitCode == 0)
  }

  // ffmpeg turns pictures itself when it decodes, and mirrors them where they have to be.
  private func expectUpright(_ input: String, _ folder: TemporaryFolder) throws {
    var options = options(input, folder.path("out.mkv"), times: 1)
    options.output.encoder.codec = "ffv1"
    options.part.frames = 0..<1
    _ = try Transcode(options).run(upscale: nearest(1))
    func pixels(_ path: String) throws -> Data {
      let arguments = ["-v", "error", "-i", path, "-frames:v", "1", "-pix_fmt", "gray"]
      return try Subprocess("ffmpeg", arguments + ["-f", "rawvideo", "-"]).output
    }
    let (mine, theirs) = (try pixels(folder.path("out.mkv")), try pixels(input))
    #expect(mine.count == theirs.count)
    let worst = zip(mine, theirs).map { abs(Int($0) - Int($1)) }.max() ?? 255
    #expect(worst <= 1)
  }
}

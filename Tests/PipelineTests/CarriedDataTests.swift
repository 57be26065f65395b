import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What pictures and streams say beside their samples reaches the output, or a person is told.
@Suite struct CarriedDataTests {
  @Test(arguments: ["libx264", "mpeg2video", "libx265"])
  func keepsClosedCaptions(codec: String) throws {
    let folder = try TemporaryFolder()
    let input = try captionedClip(folder)
    try #require(try captions(of: input) == 50)
    var options = options(input, folder.path("out.mkv"))
    options.output.encoder.codec = codec
    let transcode = try Transcode(options)
    let isKept = codec != "libx265"
    #expect(
      transcode.plan.notices.contains { $0.text.contains("closed captions are lost") } != isKept
    )
    _ = try transcode.run(upscale: nearest(2))
    #expect(try captions(of: folder.path("out.mkv")) == (isKept ? 50 : 0))
  }

  // The output was planned before they came.
  @Test(arguments: ["libx264", "libx265"])
  func tellsOfCaptionsThatBeginLater(codec: String) throws {
    let folder = try TemporaryFolder()
    var options = options(try captionedClip(folder, from: 25), folder.path("out.mkv"))
    options.output.encoder.codec = codec
    let transcode = try Transcode(options)
    #expect(transcode.plan.notices.allSatisfy { $0.level == .detail })
    let changes = try transcode.run(upscale: nearest(2)).changes
    #expect(changes == (codec == "libx264" ? [] : [.captions]))
    #expect(try captions(of: folder.path("out.mkv")) == (codec == "libx264" ? 25 : 0))
  }

  @Test(arguments: [("png", "RGB ", true), ("png", "GRAY", false), ("tiff", "RGB ", false)])
  func keepsTheProfileOfColours(container: String, space: String, isKept: Bool) throws {
    let folder = try TemporaryFolder()
    let (plain, input) = (folder.path("plain.jpg"), folder.path("in.jpg"))
    try photo(plain, "testsrc2=size=64x48")
    try profiled(plain, space).write(to: URL(filePath: input))
    let output = folder.path("out.\(container)")
    let transcode = try Transcode(options(input, output))
    let tells = transcode.plan.notices.contains {
      $0.text.contains("profile of the colours is lost")
    }
    #expect(tells == (container == "tiff"))
    _ = try transcode.run(upscale: nearest(2))
    let written = try Data(contentsOf: URL(filePath: output))
    #expect((written.firstRange(of: Data("iCCP".utf8)) != nil) == isKept)
  }

  @Test func keepsWhatIsForBothEyes() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, extra: ["-metadata:s:v", "stereo_mode=left_right"])
    _ = try Transcode(options(input, folder.path("out.mp4"))).run(upscale: nearest(2))
    let arguments = ["-v", "error", "-show_entries", "stream_side_data_list", "-of", "json"]
    let shown = try Subprocess("ffprobe", arguments + [folder.path("out.mp4")]).output
    #expect(String(decoding: shown, as: UTF8.self).contains("side by side"))
  }

  /// H.264 says it beside its pictures, and MPEG-TS has no other place for it.
  @Test func keepsWhatPicturesSayForBothEyes() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.ts", extra: ["-x264-params", "frame-packing=3"])
    _ = try Transcode(options(input, folder.path("out.mkv"))).run(upscale: nearest(2))
    let arguments = ["-v", "error", "-show_entries", "stream_side_data_list", "-of", "json"]
    #expect(
      try Subprocess("ffprobe", arguments + [folder.path("out.mkv")]).text.contains("side by side")
    )
  }

  // Its muxer refuses arrangements that the format does not have.
  @Test func saysWhichArrangementForBothEyesWebMDoesNotHave() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.ts", extra: ["-an", "-x264-params", "frame-packing=0"])
    var options = options(input, folder.path("out.webm"))
    options.part.frames = 0..<2
    let transcode = try Transcode(options)
    #expect(transcode.plan.notices.contains { $0.text.contains("for both eyes is lost: webm") })
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 2)
  }

  @Test func keepsManyAttachments() throws {
    let folder = try TemporaryFolder()
    let font = folder.path("font.txt")
    try Data("a font".utf8).write(to: URL(filePath: font))
    let attached = (1...70).flatMap { number in
      let stream = "-metadata:s:\(number + 1)"
      return ["-attach", font, stream, "mimetype=text/plain", stream, "filename=\(number).txt"]
    }
    let input = try madeClip(folder, extra: attached)
    let transcode = try Transcode(options(input, folder.path("out.mkv")))
    #expect(transcode.plan.outputStreams == (0..<72).map(Optional.some))
  }

  // MARK: Inputs

  /// A clip in whose stream every picture from `first` on is preceded by a message with captions.
  private func captionedClip(_ folder: TemporaryFolder, from first: Int = 0) throws -> String {
    let plain = try madeClip(folder, "plain.h264", extra: ["-an", "-bf", "0"])
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: plain)))
    // ATSC A/53 part 4: one pair of characters for the first field.
    let captions: [UInt8] = [
      0xB5, 0, 0x31, 0x47, 0x41, 0x39, 0x34, 3, 0x41, 0xFF, 0xFC, 0xC8, 0xC9,
    ]
    let message = [0, 0, 0, 1, 6, 4, UInt8(captions.count + 1)] + captions + [0xFF, 0x80]
    var marked: [UInt8] = []
    var number = 0
    for index in bytes.indices {
      let isUnit = index + 3 < bytes.count && bytes[index..<(index + 3)] == [0, 0, 1]
      if isUnit, [1, 5].contains(bytes[index + 3] & 31) {
        if number >= first { marked += message }
        number += 1
      }
      marked.append(bytes[index])
    }
    let stream = folder.path("marked.h264")
    try Data(marked).write(to: URL(filePath: stream))
    let input = folder.path("captions.mp4")
    let arguments = ["-v", "error", "-r", "25", "-i", stream, "-c", "copy", input]
    try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    return input
  }

  private func captions(of path: String) throws -> Int {
    let arguments = ["-v", "error", "-select_streams", "v", "-show_frames", path]
    let shown = try Subprocess("ffprobe", arguments).output
    return String(decoding: shown, as: UTF8.self).matches(of: /A53 Part 4 Closed Captions/).count
  }

  private func photo(_ path: String, _ source: String) throws {
    let arguments = ["-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "1", path]
    try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
  }

  /// A photo with a profile for samples of a space.
  private func profiled(_ path: String, _ space: String) throws -> Data {
    var profile = [UInt8](repeating: 0, count: 128)
    profile.replaceSubrange(16..<20, with: space.utf8)
    let segment = Array("ICC_PROFILE".utf8) + [0, 1, 1] + profile
    let photo = try Data(contentsOf: URL(filePath: path))
    return photo.prefix(2) + [0xFF, 0xE2, 0, UInt8(segment.count + 2)] + segment
      + photo.dropFirst(2)
  }
}

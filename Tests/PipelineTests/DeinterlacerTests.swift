import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Interlaced sources: made whole as ffmpeg's own bwdif does, with nothing lost.
@Suite struct DeinterlacerTests {
  @Test func makesPicturesWholeAndKeepsTheirTimes() throws {
    let folder = try TemporaryFolder()
    let input = try interlacedClip(folder)
    let transcode = try Transcode(lossless(input, folder.path("out.mkv"), .auto))
    #expect(transcode.plan.notices.contains { $0.text.contains("bwdif") })
    let report = try transcode.run(upscale: nearest(1))
    #expect(report.progress.frames == 25)
    let times = zip(try frameTimes(folder.path("out.mkv")), try frameTimes(input))
    // Half a millisecond: what Matroska can store.
    #expect(times.allSatisfy { abs($0 - $1) <= 0.0005 })
    let theirs = try pixels(input, ["-vf", "bwdif=mode=send_frame:deint=interlaced"])
    #expect(try worstDifference(pixels(folder.path("out.mkv")), theirs) <= 1)
    // Fields of a moving picture differ, so doing nothing is not enough.
    #expect(try worstDifference(pixels(input), theirs) > 20)
  }

  @Test func leavesFieldsAloneWhenTold() throws {
    let folder = try TemporaryFolder()
    let input = try interlacedClip(folder)
    _ = try Transcode(lossless(input, folder.path("out.mkv"), .off)).run(upscale: nearest(1))
    #expect(try worstDifference(pixels(folder.path("out.mkv")), pixels(input)) <= 1)
  }

  @Test func doesNotSayThatWholePicturesWereInterlaced() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    let notices = try Transcode(lossless(input, folder.path("out.mkv"), .on)).plan.notices
    #expect(notices.contains { $0.text.hasPrefix("every picture is taken for interlaced") })
    #expect(!notices.contains { $0.text.contains("the source is interlaced") })
  }

  @Test func leavesWholePicturesAlone() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    _ = try Transcode(lossless(input, folder.path("out.mkv"), .auto)).run(upscale: nearest(1))
    #expect(try worstDifference(pixels(folder.path("out.mkv")), pixels(input)) <= 1)
  }

  // bwdif wants four rows of chroma.
  @Test(arguments: ["8x6", "4x8", "2x2"])
  func leavesFieldsOfTinyPicturesAlone(size: String) throws {
    let folder = try TemporaryFolder()
    let made = try Subprocess(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25,setfield=tff",
        "-frames:v", "3", "-pix_fmt", "yuv420p", "-c:v", "ffv1", folder.path("in.mkv"),
      ]
    )
    try #require(made.exitCode == 0)
    let transcode = try Transcode(options(folder.path("in.mkv"), folder.path("out.mkv")))
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 3)
  }

  private func lossless(
    _ input: String,
    _ output: String,
    _ deinterlacing: Deinterlacing,
  ) -> TranscodeOptions {
    var result = options(input, output, times: 1)
    result.input.deinterlacing = deinterlacing
    result.output.encoder.codec = "ffv1"
    return result
  }

  private func interlacedClip(_ folder: TemporaryFolder) throws -> String {
    let path = folder.path("in.mpg")
    let made = try Subprocess(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=50:duration=1", "-vf",
        "tinterlace=interleave_top", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-q:v", "2",
        "-pix_fmt", "yuv420p", path,
      ]
    )
    try #require(made.exitCode == 0)
    return path
  }

  /// The luma of all pictures.
  private func pixels(_ path: String, _ filter: [String] = []) throws -> Data {
    let arguments = ["-v", "error", "-i", path] + filter
    return try Subprocess(
      "ffmpeg",
      arguments + ["-pix_fmt", "gray", "-f", "rawvideo", "-"]
    ).output
  }

  private func worstDifference(_ a: Data, _ b: Data) throws -> Int {
    try #require(a.count == b.count)
    return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 255
  }
}

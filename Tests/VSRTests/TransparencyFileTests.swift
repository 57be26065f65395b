import Foundation
import TestSupport
import Testing

/// Transparency through the real program.
@Suite struct TransparencyFileTests {
  /// An output and what encodes it.
  static let outputs: [[String]] = [
    ["out.png"], ["out.webp"], ["out.tiff"], ["out.apng"], ["out.webm"], ["out.mkv", "-c", "ffv1"],
    ["out.mov", "-c", "prores"], ["out.mov", "-c", "qtrle"],
  ]

  @Test(arguments: outputs)
  func isEnlargedWithThePicture(arguments: [String]) throws {
    let folder = try TemporaryFolder()
    try makePicture(folder)
    let run = try Program(["in.png", "-s", "2", "--progress", "none"] + arguments, in: folder)
    #expect(run.exitCode == 0 && !run.errors.contains("transparency"), "\(run.errors)")
    let (before, after) = (try alpha(folder.path("in.png")), try alpha(folder.path(arguments[0])))
    try #require(before.count == 48 * 32 && after.count == before.count, "\(run.errors)")
    let differences = zip(before, after).map { abs(Int($0) - Int($1)) }
    #expect((differences.max() ?? 255) <= 24)
    #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 1.5)
  }

  @Test(arguments: [["out.mp4"], ["out.jpg"], ["out.mp4", "-c", "vp9"]])
  func isDroppedWithAWord(arguments: [String]) throws {
    let folder = try TemporaryFolder()
    try makePicture(folder)
    let run = try Program(["in.png", "-s", "2", "--progress", "none"] + arguments, in: folder)
    #expect(run.exitCode == 0)
    #expect(run.errorLines.filter { $0.contains("transparency is dropped: ") }.count == 1)
  }

  // A ramp of opacity over a picture with colours.
  private func makePicture(_ folder: TemporaryFolder) throws {
    let filter = "testsrc2=size=96x64,format=rgba,geq=r=r(X\\,Y):g=g(X\\,Y):b=b(X\\,Y):a=255*X/W"
    let arguments = ["-v", "error", "-f", "lavfi", "-i", filter, "-frames:v", "1"]
    try #require(try Subprocess("ffmpeg", arguments + [folder.path("in.png")]).exitCode == 0)
  }

  private func alpha(_ path: String) throws -> Data {
    let decoder = path.hasSuffix("webm") ? ["-c:v", "libvpx-vp9"] : []
    return try Subprocess(
      "ffmpeg",
      ["-v", "error"] + decoder + [
        "-i", path, "-frames:v", "1", "-vf",
        "alphaextract,scale=48:32:flags=area:in_range=full:out_range=full", "-pix_fmt",
        "gray", "-f", "rawvideo", "-",
      ]
    ).output
  }
}

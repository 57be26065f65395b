import Foundation
import TestSupport
import Testing

/// What a file says about itself, and when its sound begins, through the real program.
@Suite struct TagTests {
  @Test func tagsWithoutAPlaceAreNamed() throws {
    let folder = try TemporaryFolder()
    try makeClip(folder, ["-metadata", "title=Sea", "-metadata", "com.example.depth=12"])
    let run = try Program(["old.mkv", "new.mp4", "--json", "--progress", "none"], in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errorLines.filter { $0.hasSuffix("place for them: com.example.depth") }.count == 1)
    let record = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    let warnings = record?["warnings"] as? [String] ?? []
    #expect(warnings.contains { $0.contains("com.example.depth") })
    let kept = try MediaReport(folder.path("new.mp4")).format?.tags
    #expect(kept?["title"] == "Sea")
  }

  @Test(arguments: [["new.mp4", "--no-verify"], ["new.mpg"]])
  func tagsWithoutAPlaceAreNamedWithoutACheck(arguments: [String]) throws {
    let folder = try TemporaryFolder()
    try makeClip(folder, ["-metadata", "com.example.depth=12"])
    let run = try Program(["old.mkv"] + arguments + ["--progress", "none"], in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errorLines.filter { $0.hasSuffix("place for them: com.example.depth") }.count == 1)
  }

  @Test func nothingIsSaidOfTagsThatAreKept() throws {
    let folder = try TemporaryFolder()
    try makeClip(folder, ["-metadata", "title=Sea", "-metadata", "com.example.depth=12"])
    let run = try Program(["old.mkv", "new.mkv", "--progress", "none"], in: folder)
    #expect(run.exitCode == 0 && !run.errors.contains("tags"), "\(run.errors)")
    let kept = try MediaReport(folder.path("new.mkv")).format?.tags
    #expect(kept?.contains { $0.key.lowercased() == "com.example.depth" } == true)
  }

  // 1 940 samples late, which is no whole number of the picture's ticks.
  @Test(arguments: ["mp4", "mov"])
  func lateSoundIsKeptToTheSample(container: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("old.\(container)")
    let arguments = [
      "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=32x24:rate=30000/1001", "-itsoffset",
      "0.0439909", "-f", "lavfi", "-i", "sine=sample_rate=44100", "-t", "1",
      "-movie_timescale", "88200", path,
    ]
    try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    let name = "new.\(container)"
    let run = try Program(["old.\(container)", name, "-s", "2"], in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    let (old, new) = (try times(path), try times(folder.path(name)))
    #expect(old.count > 20 && old == new)
    #expect(old.first != "0.000000")
  }

  private func times(_ path: String) throws -> [String?] {
    try MediaReport(path).packets(of: 1).map(\.ptsTime)
  }

  private func makeClip(_ folder: TemporaryFolder, _ metadata: [String]) throws {
    let clip = [
      "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=32x24:rate=25", "-frames:v", "3",
    ]
    let run = try Subprocess("ffmpeg", clip + metadata + [folder.path("old.mkv")])
    try #require(run.exitCode == 0)
  }
}

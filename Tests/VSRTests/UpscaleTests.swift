import Foundation
import TestSupport
import Testing

@Suite struct UpscaleTests {
  @Test func enlargesFourTimesAndKeepsTheSound() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4")
    let run = try Program(["old.mp4", "new.mp4"], in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(folder.names == ["new.mp4", "old.mp4"])
    let video = try probe(folder.path("new.mp4"), "v:0", "width,height,nb_read_packets")
    #expect(video == "256,192,8")
    #expect(try packets(folder.path("new.mp4")) == packets(folder.path("old.mp4")))
  }

  @Test func bitsDoNotDependOnThreads() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4", size: "90x70", frames: 5)
    let hashes = try [1, 2, 4].map { threads in
      _ = try Program(
        [
          "old.mp4", "-o", "\(threads).md5", "-f", "framemd5", "-c", "rawvideo", "--tile", "32",
          "--threads", "\(threads)",
        ],
        in: folder
      )
      return try String(contentsOfFile: folder.path("\(threads).md5"), encoding: .utf8)
    }
    #expect(hashes[0].split(separator: "\n").count > 5)
    #expect(hashes[0] == hashes[1] && hashes[1] == hashes[2])
  }

  @Test(arguments: ["2": "128,96", "1.5": "96,72", "4": "256,192"])
  func reachesEveryScale(scale: String, size: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4", frames: 2)
    let run = try Program(["old.mp4", "new.mkv", "-s", scale], in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(try probe(folder.path("new.mkv"), "v:0", "width,height") == size)
  }

  @Test func interruptEndsSoonAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4", size: "640x480", frames: 200)
    let start = Date()
    let run = try Program(["old.mp4", "new.mp4"], in: folder, interruptAfter: 1)
    #expect(run.exitCode == 130)
    #expect(Date().timeIntervalSince(start) < 3.5)  // 1 s of work, 2 s to end, and the start
    #expect(folder.names == ["old.mp4"])
  }

  @Test func progressAsJSONIsJSON() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4")
    let run = try Program(["old.mp4", "new.mp4", "--progress", "json"], in: folder)
    let lines = run.errorLines.filter { $0.hasPrefix("{") }
    let last = try JSONSerialization.jsonObject(with: Data(try #require(lines.last).utf8))
    #expect((last as? [String: Any])?["frames"] as? Int == 8)
    #expect((last as? [String: Any])?["finished"] as? Bool == true)
  }

  /// A real clip, how many of its frames, and the size that they become.
  struct Clip: CustomTestStringConvertible, Sendable {
    let name: String
    let output: String
    let frames: Int
    let size: String
    var picture = "v:0"
    var testDescription: String { name }
  }

  static let clips = [
    Clip(name: "nasa_13013.mp4", output: "o.mp4", frames: 6, size: "1920,1080", picture: "v:1"),
    Clip(name: "chaplin.mp4", output: "o.mp4", frames: 4, size: "2560,1440"),
    Clip(name: "mkv_sample_with_chapters.mkv", output: "o.mkv", frames: 6, size: "1280,960"),
    Clip(name: "vp9_bear-vp9-odd-dimensions.webm", output: "o.webm", frames: 30, size: "644,484"),
    Clip(name: "avi_sample.avi", output: "o.avi", frames: 2, size: "3840,1600"),
  ]

  @Test(.enabled(if: SharedMedia.isExpected), arguments: clips)
  func upscalesRealClips(clip: Clip) throws {
    let folder = try TemporaryFolder()
    let preset = clip.output.hasSuffix("webm") ? "8" : "ultrafast"
    let arguments = [
      try SharedMedia.path(clip.name), clip.output, "--frames", "0:\(clip.frames)",
      "--encoder-preset", preset,
    ]
    let run = try Program(arguments, in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    let video = try probe(folder.path(clip.output), clip.picture, "width,height,nb_read_packets")
    #expect(video == "\(clip.size),\(clip.frames)")
  }

  private func probe(_ path: String, _ stream: String, _ entries: String) throws -> String {
    let arguments = [
      "-v", "error", "-select_streams", stream, "-count_packets", "-show_entries",
      "stream=\(entries)", "-of", "csv=p=0", path,
    ]
    return try Subprocess("ffprobe", arguments).text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The checksums of the sound's packets.
  private func packets(_ path: String) throws -> [String] {
    let run = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-i", path, "-map", "0:a", "-c", "copy", "-f", "framemd5", "-"]
    )
    return run.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .compactMap { $0.split(separator: ",").last.map(String.init) }
  }
}

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

  @Test func saysHowBusyStagesAreAndWhichIsTheLimit() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4")
    let run = try Program(["old.mp4", "new.mp4", "-v"], in: folder)
    let stages = run.errorLines.filter { $0.hasPrefix("vsr: stage ") }
    let shares = stages.compactMap { line -> (name: Substring, percent: Int)? in
      let words = line.split { ": %".contains($0) }
      return words.count > 4 ? Int(words[4]).map { (words[2], $0) } : nil
    }
    #expect(shares.map(\.name) == ["read", "decode", "upscale", "encode", "write"], "\(stages)")
    let most = shares.map(\.percent).max()
    let isSaid = shares.contains {
      $0.percent == most && stages.last == "vsr: stage \($0.name) limits the speed"
    }
    #expect(isSaid, "\(stages)")
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

  // Of less than three pictures older x265 makes the dts from memory that nobody has set; here all of it is 85.
  @Test(arguments: [1, 2]) func x265EncodesShortClips(frames: Int) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: frames)
    let run = try Program(
      ["MALLOC_PERTURB_=85", Program.binary.path, "old.mkv", "new.mp4", "-c", "libx265"],
      in: folder,
      of: URL(fileURLWithPath: "/usr/bin/env")
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    let video = try probe(folder.path("new.mp4"), "v:0", "nb_read_packets")
    #expect(video == "\(frames)")
  }

  @Test(arguments: ["2": "128,96", "1.5": "96,72", "4": "256,192"])
  func reachesEveryScale(scale: String, size: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4", frames: 2)
    let run = try Program(["old.mp4", "new.mkv", "-s", scale], in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(try probe(folder.path("new.mkv"), "v:0", "width,height") == size)
  }

  @Test func upscalesRepeatsAnewWhenTheirNoiseDiffers() throws {
    let folder = try TemporaryFolder()
    let still = ["-v", "error", "-f", "lavfi", "-i", "color=red:size=32x24:rate=25"]
    try #require(
      try Subprocess("ffmpeg", still + ["-frames:v", "4", folder.path("old.mkv")]).exitCode == 0
    )
    for (noise, repeated) in ["still": 3, "per-frame": 0] {
      let arguments = ["old.mkv", "\(noise).mkv", "--noise", noise, "--json", "-q"]
      let run = try Program(arguments, in: folder)
      let record = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      #expect(record?["frames_repeated"] as? Int == repeated, "\(noise)")
    }
  }

  @Test func whatDoesNotChangeIsReusedToTheBit() throws {
    let folder = try TemporaryFolder()
    // A still picture with a dot that moves.
    let screen = [
      "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x200:rate=25", "-f", "lavfi", "-i",
      "color=white:size=4x4:rate=25", "-filter_complex",
      "[0]loop=-1:1[still];[still][1]overlay=x=8*n:y=40:format=gbrp", "-frames:v", "6",
      "-c:v", "ffv1", folder.path("old.mkv"),
    ]
    try #require(try Subprocess("ffmpeg", screen).exitCode == 0)
    let runs = [
      ["old.mkv", "exact.y4m"], ["old.mkv", "off.y4m", "--dedup", "off"],
      ["stream", "-i", "old.mkv", "-o", "live.y4m"],
    ]
    let shares = try runs.map { arguments in
      let run = try Program(arguments + ["--json", "-q"], in: folder)
      let record = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      return try #require(record?["area_reused"] as? Double, "\(run.errors)")
    }
    #expect(shares[0] > 0.3 && shares[1] == 0)
    // What a live run did to warm up does not count.
    #expect(shares[2] == shares[0])
    let files = try ["exact.y4m", "off.y4m", "live.y4m"].map {
      try Data(contentsOf: URL(filePath: folder.path($0)))
    }
    #expect(files[0] == files[1] && files[0] == files[2])
  }

  @Test(arguments: ["1": 0, "4": 3])
  func repeatsMayDifferByAsMuchAsTheUserSays(threshold: String, repeated: Int) throws {
    let folder = try TemporaryFolder()
    let steps = "geq=lum=100+2*mod(N\\,2):cb=128:cr=128"
    let still = ["-v", "error", "-f", "lavfi", "-i", "color=gray:size=32x24:rate=25,\(steps)"]
    let lossless = ["-frames:v", "4", "-c:v", "ffv1", folder.path("old.mkv")]
    try #require(try Subprocess("ffmpeg", still + lossless).exitCode == 0)
    let arguments = ["old.mkv", "new.mkv", "--dedup", threshold, "--json", "-q"]
    let run = try Program(arguments, in: folder)
    let record = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    #expect(record?["frames_repeated"] as? Int == repeated, "\(run.errors)")
  }

  @Test func progressAsJSONIsJSON() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4")
    let run = try Program(["old.mp4", "new.mp4", "--progress", "json", "--quiet"], in: folder)
    let lines = run.errorLines.filter { $0.hasPrefix("{") }
    let last = try JSONSerialization.jsonObject(with: Data(try #require(lines.last).utf8))
    #expect((last as? [String: Any])?["frames"] as? Int == 8)
    #expect((last as? [String: Any])?["finished"] as? Bool == true)
  }

  @Test func progressOfAFailedRunIsNotFinished() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 50)
    let script = "ulimit -f 8; exec \"$0\" old.mkv new.mkv -c ffv1 --progress json"
    let run = try Program(
      ["-c", script, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
    #expect(run.exitCode == 74, "\(run.errors)")
    let lines = run.errorLines.filter { $0.hasPrefix("{") }
    let last = try JSONSerialization.jsonObject(with: Data(try #require(lines.last).utf8))
    #expect((last as? [String: Any])?["finished"] as? Bool == false)
  }

  @Test func recordAsJSONNamesEveryStream() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4")
    let run = try Program(["old.mp4", "new.mp4", "--json", "--quiet"], in: folder)
    #expect(run.exitCode == 0 && run.errors.isEmpty)
    let record = try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    )
    #expect(record["frames_read"] as? Int == 8 && record["frames_written"] as? Int == 8)
    #expect(record["frames_damaged"] as? Int == 0 && record["output"] as? String == "new.mp4")
    let streams = try #require(record["streams"] as? [[String: Any]])
    #expect(streams.map { $0["action"] as? String } == ["upscaled", "copied"])
    #expect(streams.map { $0["output"] as? Int } == [0, 1])
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

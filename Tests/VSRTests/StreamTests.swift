import Foundation
import Glibc
import TestSupport
import Testing

/// `vsr stream` between real pipes.
@Suite struct StreamTests {
  @Test func keepsFramesTimesAndSound() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 60)
    let run = try shell("cat c.ts | $0 stream --json -q >o.ts", in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    let (old, new) = try (times("c.ts", "v:0", folder), times("o.ts", "v:0", folder))
    #expect(new.count == 60 && zip(old, new).allSatisfy { abs($0 - $1) < 0.0011 })
    let (oldSound, newSound) = try (times("c.ts", "a:0", folder), times("o.ts", "a:0", folder))
    #expect(abs(oldSound[0] - newSound[0]) < 0.0011)
    #expect(try sound("c.ts", folder) == sound("o.ts", folder))
    let live = try record(run)
    #expect(live.framesUpscaled == 60 && live.framesDropped + live.framesResized == 0)
    #expect(live.delayP50 > 0 && live.delayP50 <= live.delayP99)
  }

  /// A line for the shell, in which `$0` is the program; the stream `o` has 30 frames.
  static let pipes = [
    "cat c.ts | $0 stream -f matroska >o", "cat c.ts | $0 stream -f nut >o",
    "cat c.ts | $0 stream -f flv >o", "cat c.ts | $0 stream -f mp4 >o",
    "cat c.ts | $0 stream -f yuv4mpegpipe >o", "cat c.ts | $0 stream -f webm >o",
    "cat c.ts | $0 stream -c libx265 >o", "cat c.ts | $0 stream -f nut -c ffv1 >o",
    "ffmpeg -v error -i c.ts -c copy -bsf:a aac_adtstoasc -f flv - | $0 stream >o",
    "ffmpeg -v error -i c.ts -c:v copy -c:a aac -f matroska - | $0 stream >o",
    "ffmpeg -v error -i c.ts -c copy -f nut - | $0 stream >o",
    "ffmpeg -v error -i c.ts -c copy -bsf:a aac_adtstoasc -f mp4 -movflags frag_keyframe+empty_moov -"
      + " | $0 stream >o",
    "ffmpeg -v error -i c.ts -pix_fmt yuv422p10le -strict -1 -f yuv4mpegpipe - | $0 stream -f nut >o",
    "ffmpeg -v error -i c.ts -f rawvideo -pix_fmt yuv420p - | $0 stream --input-format rawvideo"
      + " --video-size 64x48 --pixel-format yuv420p --framerate 25 >o",
    "$0 stream -i c.ts -o o.mkv && mv o.mkv o",
  ]

  @Test(arguments: pipes) func speaksTheFormatsOfPipes(line: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 30)
    let run = try shell(line.replacingOccurrences(of: "stream", with: "stream -q"), in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    let found = try Subprocess(
      "ffprobe",
      [
        "-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries",
        "stream=nb_read_frames,width,height", "-of", "csv=p=0", folder.path("o"),
      ]
    )
    #expect(found.text.split(separator: "\n").first == "256,192,30", "\(found.text)")
  }

  @Test(arguments: ["drop", "resize", "passthrough"])
  func countsAddUpWhenThereIsTooMuchToDo(policy: String) throws {
    let folder = try TemporaryFolder()
    let live = try overloaded("--on-overload \(policy)", into: "o.ts", folder)
    #expect(live.framesUpscaled + live.framesResized + live.framesDropped == 50)
    #expect(live.framesUpscaled > 0 || policy == "passthrough")
    #expect((policy == "drop") == (live.framesDropped > 0))
    #expect((policy == "drop") == (live.framesResized == 0))
    let (old, new) = try (times("c.ts", "v:0", folder), times("o.ts", "v:0", folder))
    #expect(new.count == 50 - live.framesDropped)
    #expect(new.allSatisfy { time in old.contains { abs($0 - time) < 0.0011 } })
    #expect(try sound("c.ts", folder) == sound("o.ts", folder))
  }

  // Y4M has no times: what is left out must be shown by the picture before.
  @Test func picturesThatAreCountedAreNeverLess() throws {
    let folder = try TemporaryFolder()
    let live = try overloaded("--on-overload drop -f yuv4mpegpipe", into: "o.y4m", folder)
    #expect(live.framesDropped > 0 && live.framesUpscaled + live.framesDropped == 50)
    #expect(try times("o.y4m", "v:0", folder).count == 50)
  }

  /// Enlarges `c.ts`, 50 frames that come at once, which is more than there is time for.
  private func overloaded(
    _ options: String,
    into output: String,
    _ folder: TemporaryFolder,
  ) throws -> Live {
    try folder.makeClip("c.ts", size: "320x240", frames: 50)
    let run = try shell(
      "cat c.ts | $0 stream --max-delay 300 --json -q -s 2 \(options) >\(output)",
      in: folder
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    return try record(run)
  }

  // The pictures that fill a pause are no frames, and come late by nobody's fault.
  @Test func aPauseIsNoDelay() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 25)
    let later = "ffmpeg -v error -i c.ts -c copy -output_ts_offset 4 -f mpegts d.ts"
    let run = try shell(
      "\(later); (cat c.ts; sleep 2.6; cat d.ts) | "
        + "$0 stream -f yuv4mpegpipe --max-delay 1000 --json -q >o.y4m",
      in: folder
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    let live = try record(run)
    #expect(live.framesUpscaled == 50)
    #expect(live.delayP99 < 2000, "the pause counts")
    #expect(try times("o.y4m", "v:0", folder).count > 90)
  }

  @Test func framesThatAreDroppedAreNotWaitedFor() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mp4", size: "320x240", frames: 50)
    let run = try shell(
      "$0 stream -i c.mp4 -o o.ts --max-delay 300 --on-overload drop --progress json -s 2",
      in: folder
    )
    let lines = run.errorLines.filter { $0.hasPrefix("{") }
    let last = try JSONSerialization.jsonObject(with: Data(try #require(lines.last).utf8))
    let progress = try #require(last as? [String: Any])
    #expect(progress["total_frames"] as? Int == 50 && progress["eta"] as? Double == 0)
    #expect(try #require(progress["frames"] as? Int) < 50)
  }

  @Test(arguments: ["block", "drop", "resize", "passthrough"])
  func goesDownTheLadderWhenThereIsTooMuchToDo(policy: String) throws {
    let folder = try TemporaryFolder()
    // Too many pixels for small machines, for longer than it takes to be sure.
    try folder.makeClip("c.ts", size: "320x240", frames: 100)
    let run = try shell(
      "ffmpeg -v error -re -i c.ts -c copy -f mpegts - | $0 stream --adaptive --max-delay 400"
        + " --precision fp32 --on-overload \(policy) --json -v -s 1 2>e >o.ts; grep -v ^vsr: e >&2; cat e",
      in: folder
    )
    let live = try record(run)
    #expect(live.framesUpscaled + live.framesResized + live.framesDropped == 100)
    #expect(live.rungs.map(\.frames).reduce(0, +) == live.framesUpscaled)
    #expect(run.output.components(separatedBy: "vsr: from fast").count == live.switches + 1)
    // Only where the CPU has instructions for more than one precision.
    #expect(live.rungs.count == 1 || live.rungs.last?.precision != "fp32")
    #expect(try times("o.ts", "v:0", folder).count == 100 - live.framesDropped)
    #expect(try sound("c.ts", folder) == sound("o.ts", folder))
  }

  // At the scale that the output needs, whatever the scale of the model that was asked for.
  @Test(arguments: ["2": ModelChoiceTests.small, "4": "fast"])
  func theLadderEndsWithTheSmallestBundledModel(scale: String, model: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 10)
    let script = repositoryRoot + "Tests/Torture/make-bicubic-model.py"
    // 2.5 MMAC per pixel, several times what is bundled.
    let made = try Subprocess("python3", [script, folder.path("m.safetensors"), "4", "480"])
    try #require(made.exitCode == 0)
    let run = try shell(
      "cat c.ts | $0 stream -m ./m.safetensors --adaptive --threads 1 --json -q -s \(scale) >o.ts",
      in: folder
    )
    let models = try record(run).rungs.map(\.model)
    #expect(models.first == "./m.safetensors" && models.last == model, "\(run.errors)")
  }

  @Test func withNothingCheaperAdaptiveSaysSo() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 10)
    let run = try shell(
      "cat c.ts | $0 stream --adaptive --backend openblas --json -o o.ts",
      in: folder
    )
    let said = "--adaptive changes nothing"
    #expect(run.exitCode == 0 && run.errors.contains(said), "\(run.errors)")
    let record = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    let warnings = try #require(record?["warnings"] as? [String])
    #expect(warnings.contains { $0.contains(said) }, "\(warnings)")
  }

  @Test func anInterruptEndsTheStreamCompletely() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 25)
    let run = try Program(
      [
        "-c", "mkfifo f; (cat c.ts; sleep 12) >f & exec \"$0\" stream -i f -o o.mkv",
        Program.binary.path,
      ],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash"),
      interruptAfter: 6
    )
    #expect(run.exitCode == 130)
    #expect(run.errorLines.last == "vsr: interrupted; the output is complete up to here")
    #expect(try times("o.mkv", "v:0", folder).count == 25)
  }

  @Test func endsSoonAfterItsReaderHasLeft() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 25)
    // The stream's reader takes some bytes and leaves, while the writer stays.
    let run = try shell(
      "mkfifo f; (cat c.ts; exec sleep 20) >f & "
        + "($0 stream -q <f; date +%s >end) | (head -c 1000 >part; date +%s >left); wait -n; true",
      in: folder
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    let left = try seconds("left", folder)
    #expect(try seconds("end", folder) - left <= 3)
  }

  @Test func joinsAClockThatJumps() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 50)
    let make = ["500", "3"].map {
      "ffmpeg -v error -i c.ts -c copy -output_ts_offset \($0) -f mpegts \($0).ts"
    }
    let run = try shell(
      make.joined(separator: " && ")
        + " && cat 500.ts 3.ts | $0 stream -q --strict >o.ts",
      in: folder
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    for stream in ["v:0", "a:0"] {
      let found = try times("o.ts", stream, folder)
      #expect(zip(found, found.dropFirst()).allSatisfy { $1 > $0 && $1 - $0 < 0.3 })
      #expect(abs(found[found.count - 1] - found[0] - 4) < 0.2)
    }
  }

  @Test func refusesATerminal() throws {
    let folder = try TemporaryFolder()
    // Runs the line on a terminal of its own, and passes on what appears there.
    let run = try Program(
      ["-qec", "'\(Program.binary.path)' stream", "/dev/null"],
      in: folder,
      of: URL(fileURLWithPath: "/usr/bin/script")
    )
    let said = "standard output is a terminal"
    #expect(run.exitCode == 64 && run.output.contains(said), "\(run.output)")
  }

  @Test func refusesWrongNumbers() throws {
    let folder = try TemporaryFolder()
    let run = try Program(["stream", "--max-delay", "0"], in: folder)
    #expect(run.exitCode == 64 && run.errors.contains("--max-delay"))
    let policy = try Program(["stream", "--on-overload", "panic"], in: folder)
    #expect(policy.exitCode == 64)
  }

  private struct Rung: Decodable {
    let model: String
    let precision: String
    let frames: Int
  }

  private struct Live: Decodable {
    let framesUpscaled: Int
    let framesResized: Int
    let framesDropped: Int
    let rungs: [Rung]
    let switches: Int
    let delayP50: Double
    let delayP99: Double
  }

  // With a stream on standard output the record is on standard error.
  private func record(_ run: Program) throws -> Live {
    struct Record: Decodable { let live: Live }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Record.self, from: Data(run.errors.utf8)).live
  }

  private func times(
    _ name: String,
    _ stream: String,
    _ folder: TemporaryFolder,
  ) throws -> [Double] {
    let run = try Subprocess(
      "ffprobe",
      [
        "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time", "-of",
        "csv=p=0", folder.path(name),
      ]
    )
    return run.text.split { "\n,".contains($0) }.compactMap { Double($0) }.sorted()
  }

  private func sound(_ name: String, _ folder: TemporaryFolder) throws -> String {
    try Subprocess(
      "ffmpeg",
      ["-v", "error", "-i", folder.path(name), "-map", "0:a", "-f", "md5", "-"]
    ).text
  }

  private func seconds(_ name: String, _ folder: TemporaryFolder) throws -> Int {
    let text = try String(contentsOfFile: folder.path(name), encoding: .utf8)
    return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  private func shell(_ line: String, in folder: TemporaryFolder) throws -> Program {
    try Program(
      ["-c", line.replacingOccurrences(of: "$0", with: "\"$0\""), Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
  }
}

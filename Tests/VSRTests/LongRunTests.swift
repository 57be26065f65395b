import Foundation
import TestSupport
import Testing

/// Runs that are cut off and continued, and what a run would take.
@Suite struct LongRunTests {
  @Test func continuesAfterAnInterrupt() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 2000)
    try makeModel(folder)
    let arguments = [
      "old.mkv", "new.mkv", "-m", "./m.safetensors", "--resume", "--progress", "none",
    ]
    let script = """
      "$0" "$@" & while kill -0 $! && ! grep -qs sha256 .new.mkv.vsr-work/state.json; do sleep 0.02; done
      kill $!; wait $!
      """
    let cut = try Program(
      ["-c", script, Program.binary.path] + arguments,
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh")
    )
    #expect(cut.exitCode == 143)
    let line = try #require(cut.errorLines.last)
    let stored = try #require(Int(line.split(separator: " ")[2]), "\(line)")
    #expect(
      line == "vsr: interrupted; \(stored) frames are kept in '.new.mkv.vsr-work', "
        + "the same command continues"
    )
    #expect(folder.names == [".new.mkv.vsr-work", "m.safetensors", "old.mkv"])

    let run = try Program(arguments + ["--json"], in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errors.contains("2000 frames in "))
    #expect(run.errors.contains(" \(stored) of them from an earlier run"))
    let record = try record(run)
    #expect(record["frames_written"] as? Int == 2000 && record["frames_stored"] as? Int == stored)
    #expect(folder.names == ["m.safetensors", "new.mkv", "old.mkv"])
  }

  @Test func estimatesWithoutWriting() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4")
    try makeModel(folder)
    let arguments = ["old.mp4", "new.mp4", "-m", "./m.safetensors", "--estimate", "--threads", "2"]
    let text = try Program(arguments, in: folder)
    #expect(text.exitCode == 0 && text.errors.isEmpty)
    let names = text.output.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    #expect(names == ["frames", "pictures", "model", "tiles", "memory", "time"])
    let record = try record(Program(arguments + ["--json"], in: folder))
    #expect(record["frames"] as? Int == 8 && record["workers"] as? Int == 2)
    #expect(record["width"] as? Int == 256 && record["height"] as? Int == 192)
    let (perFrame, all) = (record["seconds_per_frame"] as? Double, record["seconds"] as? Double)
    #expect(try #require(perFrame) > 0 && abs(#require(all) / #require(perFrame) - 8) < 0.01)
    #expect(folder.names == ["m.safetensors", "old.mp4"])
  }

  private func makeModel(_ folder: TemporaryFolder) throws {
    let script = repositoryRoot + "Tests/Torture/make-bicubic-model.py"
    try #require(try Subprocess("python3", [script, folder.path("m.safetensors")]).exitCode == 0)
  }

  private func record(_ run: Program) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
  }
}

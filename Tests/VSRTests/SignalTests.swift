import Foundation
import Glibc
import TestSupport
import Testing

/// What signals do to a run, whichever thread they reach: those of OpenBLAS block none.
@Suite struct SignalTests {
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
  func endsSoonAndLeavesNothing(signal: Int32) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4", size: "640x480", frames: 200)
    let run = try Program(["old.mp4", "new.mp4"], in: folder, interruptAfter: 1, signal: signal)
    #expect(run.exitCode == 128 + signal)
    #expect(run.errorLines.last == "vsr: interrupted; nothing was written")
    #expect(try #require(run.secondsToEnd) < 20, "the whole clip takes minutes")
    #expect(folder.names == ["old.mp4"])
  }

  // A file may have ended at the first.
  @Test(arguments: [
    "old.mkv new.mkv -q": "vsr: interrupted",
    "stream -q -i old.mkv -o new.mkv": "vsr: interrupted again; ",
  ])
  func aSecondSignalLeavesNothingEither(arguments: String, line: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", size: "1280x720", frames: 20)
    let script = """
      "$0" \(arguments) & while kill -0 $! && ! ls -A | grep -q part; do sleep 0.05; done
      kill $!; sleep 0.2; kill $! 2>/dev/null; wait $!
      """
    let run = try Program(
      ["-c", script, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh")
    )
    #expect(run.exitCode == 143)
    #expect(run.errorLines.count == 1 && run.errors.hasPrefix(line), "\(run.errors)")
    #expect(folder.names == ["old.mkv"])
  }

  // As `timeout` does it; two signals of one kind might become one on the way.
  @Test func aSignalThatComesTwiceIsOne() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 25)
    let script = #"""
      mkfifo f; (cat c.ts; exec sleep 60) >f & source=$!
      "$0" stream -i f -o o.mkv --progress json 2>e &
      while kill -0 $! && ! grep -qs '"frames": [1-9]' e; do sleep 0.05; done
      kill $!; kill -HUP $!; wait $!; code=$?
      kill $source; cat e >&2; exit $code
      """#
    let run = try Program(
      ["-c", script, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh")
    )
    #expect([128 + SIGTERM, 128 + SIGHUP].contains(run.exitCode), "\(run.errors)")
    #expect(run.errorLines.last == "vsr: interrupted; the output is complete up to here")
    #expect(folder.names == ["c.ts", "e", "f", "o.mkv"])
  }

  @Test func endsACalibrationSoon() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", size: "640x480", frames: 50)
    let run = try Program(
      ["models", "quantize", "fast", "--calibrate", "old.mkv", "-o", "new.safetensors"],
      in: folder,
      interruptAfter: 0.5
    )
    #expect(run.exitCode == 130)
    #expect(try #require(run.secondsToEnd) < 5, "all of it takes many times as long")
    #expect(folder.names == ["old.mkv"])
  }

  @Test func leavesASignalAloneThatItsCallerIgnores() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 100)
    let run = try Program(
      ["-c", "trap '' HUP; exec \"$0\" old.mkv new.mkv -q", Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh"),
      interruptAfter: 0.3,
      signal: SIGHUP
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(folder.names == ["new.mkv", "old.mkv"])
  }

  @Test func saysWhichPicturesStay() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", size: "320x240", frames: 300)
    let script = """
      "$0" old.mkv p%03d.bmp -q & while kill -0 $! && ! [ -e p001.bmp ]; do sleep 0.05; done; kill $!; wait $!
      """
    let run = try Program(
      ["-c", script, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh")
    )
    let count = folder.names.count { $0.hasSuffix(".bmp") }
    #expect(run.exitCode == 143 && count > 0)
    #expect(run.errorLines == ["vsr: interrupted; pictures written before: \(count)"])
    #expect(folder.names.allSatisfy { !$0.hasSuffix(".part") })
  }
}

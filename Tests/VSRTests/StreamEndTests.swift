import Foundation
import Glibc
import TestSupport
import Testing

/// What happens when pipes, files and signals do not do what one hopes.
@Suite struct StreamEndTests {
  /// A line for the shell, in which `$0` is the program, with the exit code and a part of the error.
  struct Ending: CustomTestStringConvertible, Sendable {
    let line: String
    let code: Int32
    var error = ""
    var testDescription: String { line }
  }

  static let endings = [
    Ending(line: ": | $0 - o.mkv", code: 65, error: "empty input"),
    Ending(line: "(head -c 9000 c.mkv; sleep 1; tail -c +9001 c.mkv) | $0 - o.mkv", code: 0),
    Ending(line: "$0 c.mkv - -f matroska | (sleep 1; cat >o.mkv)", code: 0),
    Ending(line: "$0 c.mkv - -f matroska 2>&1 >&- | grep -q descriptor", code: 0),
    Ending(line: "$0 c.mkv o.mkv <&-", code: 0),
    Ending(line: "$0 - o.mkv <&-", code: 74, error: "Bad file descriptor"),
    Ending(line: "$0 c.mkv o.mkv <&- >&- 2>&-", code: 0),
    Ending(line: "$0 c.mkv - -f matroska >>c.mkv", code: 73, error: "it is the input"),
    Ending(line: "$0 - c.mkv -y <c.mkv", code: 73, error: "it is the input"),
    Ending(line: "$0 c.mkv /dev/stdout -f matroska >o.mkv && test -L /dev/stdout", code: 0),
    Ending(line: "$0 c.mkv /dev/fd/5 -f matroska 5>o.mkv", code: 0),
    Ending(
      line: "echo x >o.mkv; $0 c.mkv /dev/fd/5 -f matroska 5>>o.mkv; test $(head -n 1 o.mkv) = x",
      code: 0
    ),
    Ending(line: "$0 c.mkv /dev/null -f matroska && test -c /dev/null", code: 0),
    Ending(line: "mkfifo f; (cat f >o.mkv &) ; $0 c.mkv f -f matroska && test -p f", code: 0),
    Ending(line: "$0 c.mkv - -f y4m | ffprobe -v error -f yuv4mpegpipe -", code: 0),
    Ending(line: "$0 c.mkv o%03d.mkv && test -f o%03d.mkv", code: 0),
    Ending(line: "\"$0\" --help | head -n 1", code: 0),
    Ending(
      line: "touch o.mkv; chmod 640 o.mkv; $0 c.mkv o.mkv -y && test $(stat -c %a o.mkv) = 640",
      code: 0
    ),
    Ending(line: "env -i $0 c.mkv o.mkv", code: 0),
    Ending(line: "ulimit -n 16; $0 c.mkv o.mkv", code: 0),
  ]

  @Test(arguments: endings) func endsAsPromised(ending: Ending) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let before = try Data(contentsOf: folder.url.appendingPathComponent("c.mkv"))
    let run = try shell(ending.line, in: folder)
    #expect(run.exitCode == ending.code, "\(run.errors)")
    #expect(ending.error.isEmpty || run.errors.contains(ending.error), "\(run.errors)")
    #expect(run.errorLines.count <= 1)
    #expect(!folder.names.contains { $0.hasPrefix(".vsr") })
    #expect(ending.code == 0 || !folder.names.contains("o.mkv"))
    #expect(try Data(contentsOf: folder.url.appendingPathComponent("c.mkv")) == before)
  }

  @Test func aLimitOnTheSizeOfFilesEndsTheRun() throws {
    let line = "ulimit -f 8; $0 c.mkv o.mkv -c ffv1"
    try endsAsPromised(ending: Ending(line: line, code: 74, error: "File too large"))
  }

  @Test func aReaderThatLeavesEndsTheRun() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let run = try shell("($0 c.mkv - -f matroska; echo $? >&2) | head -c 1000 >part", in: folder)
    #expect(run.errorLines.last == "74" && run.errorLines.count == 2)
  }

  @Test func theLocaleDoesNotMatter() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv")
    let sums = try ["C", "de_DE.UTF-8", "tr_TR.UTF-8", "none"].map { locale in
      try shell("LC_ALL=\(locale) $0 c.mkv - -s 1.5 -f framemd5 -c rawvideo", in: folder).output
    }
    #expect(Set(sums).count == 1 && sums[0].count > 100)
  }

  @Test func ofTwoRunsWithOneOutputOneWins() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv")
    let run = try shell(
      "$0 c.mkv o.mkv & $0 c.mkv o.mkv; a=$?; wait $!; echo $((a + $?))",
      in: folder
    )
    #expect(run.output == "73\n", "\(run.errors)")
    #expect(folder.names == ["c.mkv", "o.mkv"])
  }

  // A full disk, and a source that is silent and stays.
  @Test(arguments: ["$0 - /dev/full -f matroska", "ulimit -f 8; $0 - o.mkv -c ffv1"])
  func aFailureDoesNotWaitForTheInput(command: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 50)
    let run = try shell(
      "mkfifo f; (cat c.ts; exec sleep 100) >f & (\(command)) <f; code=$?; kill $! && exit $code",
      in: folder
    )
    #expect(run.exitCode == 74, "\(run.errors)")
    #expect(folder.names == ["c.ts", "f"])
  }

  // The first has both sides but never delivers; the others lack one.
  @Test(arguments: ["- o.mkv <>f", "c.mkv f -f matroska", "f o.mkv", "stream -q -i f -o o.ts"])
  func waitingForANamedPipeCanBeInterrupted(arguments: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv")
    let run = try Program(
      ["-c", "mkfifo f; exec \"$0\" \(arguments)", Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh"),
      interruptAfter: 1
    )
    #expect(run.exitCode == 130)
    #expect(try #require(run.secondsToEnd) < 20)
    #expect(folder.names == ["c.mkv", "f"])
  }

  /// Runs a line in a shell; every call of the program in it is quiet.
  private func shell(_ line: String, in folder: TemporaryFolder) throws -> Program {
    let quiet = line.replacingOccurrences(of: "$0 c", with: "\"$0\" -q c")
      .replacingOccurrences(of: "$0 -", with: "\"$0\" -q -")
    return try Program(
      ["-c", quiet, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
  }
}

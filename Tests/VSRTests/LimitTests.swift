import Foundation
import Glibc
import TestSupport
import Testing

/// What happens at the limits of disk and memory.
@Suite struct LimitTests {
  @Test(.enabled(if: LimitTests.mayMount))
  func fullDiskEndsTheRunAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("in.mp4", frames: 50)
    let script = """
      mkdir small && mount -t tmpfs -o size=256k none small && \
      "$0" in.mp4 small/out.mkv -c ffv1 --progress none; code=$?; ls -A small; exit $code
      """
    let run = try Program(
      ["--mount", "sh", "-c", script, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/usr/bin/unshare")
    )
    #expect(run.exitCode == 74)
    #expect(run.errorLines.count == 1 && run.errors.contains("No space left on device"))
    #expect(run.output.isEmpty, "left: \(run.output)")
  }

  @Test func memoryDoesNotGrowWithLength() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("short.mkv", size: "32x24", frames: 300)
    try folder.makeClip("long.mkv", size: "32x24", frames: 3000)
    let peaks = try ["short.mkv", "long.mkv"].map { name in
      try peakMemory([folder.path(name), folder.path("out-" + name), "--progress", "none"])
    }
    #expect(peaks[0] > 0)
    #expect(Double(peaks[1]) <= Double(peaks[0]) * 1.05, "\(peaks)")
  }

  /// Whether this process may mount a file system of its own.
  static let mayMount: Bool = {
    if geteuid() == 0 { return true }
    FileHandle.standardError.write(Data("skipping the full disk: only root may mount one\n".utf8))
    return false
  }()

  /// The most memory that a run of the program had at once, in KiB.
  private func peakMemory(_ arguments: [String]) throws -> Int {
    let words = ([Program.binary.path] + arguments).map { strdup($0) }
    defer { for word in words { free(word) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var process = pid_t()
    try #require(
      posix_spawn(&process, Program.binary.path, &actions, nil, words + [nil], environ) == 0
    )
    var (status, usage) = (Int32(0), rusage())
    try #require(wait4(process, &status, 0, &usage) == process && status == 0)
    return usage.ru_maxrss
  }
}

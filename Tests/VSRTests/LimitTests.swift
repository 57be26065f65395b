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

  // At most 0.7 MiB in six pairs of runs on a busy machine, 3 MiB once among all tests: what frames in work take
  // differs from run to run, what is kept per frame would be in every pair.
  @Test func memoryGrowsByTwoMebibytesAtMostFrom1000To10000Frames() throws {
    let folder = try TemporaryFolder()
    let model = repositoryRoot + "Tests/Torture/make-bicubic-model.py"
    try #require(try Subprocess("python3", [model, folder.path("m.safetensors")]).exitCode == 0)
    for count in [1000, 10_000] {
      try folder.makeClip("\(count).mkv", size: "32x24", frames: count)
    }
    var pairs: [[Int]] = []
    repeat {
      pairs.append(
        try [1000, 10_000].map { count in
          let files = [folder.path("\(count).mkv"), folder.path("out-\(count).mkv")]
          let options = ["-m", folder.path("m.safetensors"), "-s", "2", "--progress", "none", "-y"]
          return try peakMemory(files + options)
        }
      )
    } while pairs.count < 3 && !pairs.contains { $0[1] - $0[0] <= 2048 }
    #expect(pairs.allSatisfy { $0[0] > 0 })
    #expect(pairs.contains { $0[1] - $0[0] <= 2048 }, "\(pairs) KiB")
  }

  // The limit decides on tiles and frames, or is refused; with it the program says what it needs.
  @Test(arguments: [[], ["-c", "ffv1"], ["-c", "libx265"], ["--tile", "64"]])
  func staysWithinItsMemory(options: [String]) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("in.mkv", size: "320x180", frames: 20)
    var arguments = [folder.path("in.mkv"), folder.path("out.mkv"), "--progress", "none"] + options
    let refusal = try Program(arguments + ["--memory", "100M"], in: folder)
    #expect(refusal.exitCode == 65 && refusal.errorLines.count == 1)
    let words = refusal.errors.split(separator: " ")
    let needed = try #require(words.firstIndex(of: "are").flatMap { Int(words[$0 - 2]) })

    arguments += ["--memory", "\(needed + 8)M"]
    #expect(try peakMemory(arguments) <= (needed + 8) << 10, "\(needed) MiB")
  }

  // Enough frames to fill what the encoder looks ahead.
  @Test(arguments: [
    ["--threads", "1"], ["--threads", "2", "-c", "ffv1"], ["--threads", "2", "--tile", "64"],
  ])
  func takesTheMemoryOfItsEstimate(options: [String]) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("in.mkv", size: "320x180", frames: 60)
    let arguments = [folder.path("in.mkv"), folder.path("out.mkv")] + options
    let estimate = try Program(arguments + ["--estimate", "--json"], in: folder)
    let record = try JSONSerialization.jsonObject(with: Data(estimate.output.utf8))
    let bytes = try #require((record as? [String: Any])?["memory_bytes"] as? Int)
    let peak = try peakMemory(arguments + ["--progress", "none"]) << 10
    #expect(abs(Double(bytes) / Double(peak) - 1) < 0.15, "\(bytes) and \(peak) bytes")
  }

  /// Whether this process may mount a file system of its own.
  static let mayMount: Bool = {
    if geteuid() == 0 { return true }
    FileHandle.standardError.write(Data("skipping the full disk: only root may mount one\n".utf8))
    return false
  }()

  /// The most memory that a run of the program had at once, in KiB.
  ///
  /// The kernel counts what the parent had before the program began, and this process has much: so a small
  /// one is its parent.
  private func peakMemory(_ arguments: [String]) throws -> Int {
    let script = """
      import resource, subprocess, sys
      code = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode
      print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
      sys.exit(code)
      """
    let run = try Subprocess("python3", ["-c", script, Program.binary.path] + arguments)
    try #require(run.exitCode == 0)
    return try #require(Int(run.text.split(separator: "\n")[0]))
  }
}

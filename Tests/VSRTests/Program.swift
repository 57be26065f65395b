import Foundation
import Glibc
import TestSupport

/// A run of the real binary, to its end or to a signal.
struct Program {
  let exitCode: Int32
  let output: String
  let errors: String

  /// How long it went on after the interrupt, in seconds; nil without one.
  let secondsToEnd: Double?

  /// The lines on standard error.
  var errorLines: [Substring] { errors.split(separator: "\n") }

  /// Runs `vsr` in a folder, or another program that runs it.
  ///
  /// With `interruptAfter`, `signal` is sent that many seconds after the program has begun to catch it. It
  /// begins without blocked signals, as a shell starts it; the threads that run tests block them all.
  init(
    _ arguments: [String],
    in folder: TemporaryFolder,
    of executable: URL = Program.binary,
    interruptAfter: Double? = nil,
    signal: Int32 = SIGINT,
    output target: String? = nil,
  ) throws {
    let log = try TemporaryFolder()
    for name in ["out", "err"] {
      try Data().write(to: log.url.appendingPathComponent(name))
    }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: target ?? log.path("out"))
    process.standardError = FileHandle(forWritingAtPath: log.path("err"))
    try Program.withoutBlockedSignals { try process.run() }
    var interrupted: Date?
    if let interruptAfter {
      while process.isRunning && !Program.handles(signal, in: process.processIdentifier) {
        Thread.sleep(forTimeInterval: 0.01)
      }
      Thread.sleep(forTimeInterval: interruptAfter)
      interrupted = Date()
      kill(process.processIdentifier, signal)
    }
    process.waitUntilExit()
    secondsToEnd = interrupted.map { Date().timeIntervalSince($0) }
    exitCode = process.terminationStatus
    output = String(
      decoding: FileManager.default.contents(atPath: log.path("out")) ?? Data(),
      as: UTF8.self
    )
    errors = String(
      decoding: FileManager.default.contents(atPath: log.path("err")) ?? Data(),
      as: UTF8.self
    )
  }

  // Whether the process is the program, and catches the signal or ignores it.
  private static func handles(_ signal: Int32, in process: Int32) -> Bool {
    let folder = URL(fileURLWithPath: "/proc/\(process)")
    let program = folder.appendingPathComponent("exe").resolvingSymlinksInPath()
    guard program.path == binary.path,
      let status = try? String(contentsOf: folder.appendingPathComponent("status"), encoding: .utf8)
    else { return false }
    return status.split(separator: "\n").contains { line in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count == 2, ["SigCgt:", "SigIgn:"].contains(words[0]) else { return false }
      return (UInt64(words[1], radix: 16) ?? 0) >> (signal - 1) & 1 == 1
    }
  }

  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var (none, old) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    try body()
  }

  /// The program beside the test bundle.
  static let binary = URL(fileURLWithPath: "/proc/self/exe")
    .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("vsr")
}

extension TemporaryFolder {
  /// Makes a small clip with sound: 8 frames of 64×48 unless told otherwise.
  func makeClip(_ name: String, size: String = "64x48", frames: Int = 8) throws {
    let arguments = [
      "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25",
      "-f", "lavfi", "-i", "sine=frequency=440", "-frames:v", "\(frames)", "-shortest",
      "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", path(name),
    ]
    let run = try Subprocess("ffmpeg", arguments)
    guard run.exitCode == 0 else { throw CannotMakeClip() }
  }

  private struct CannotMakeClip: Error {}
}

public import Foundation

/// A program that ran to its end.
public struct Subprocess {
  /// Its exit code.
  public let exitCode: Int32

  /// What it wrote to standard output.
  public let output: Data

  /// The output as text.
  public var text: String { String(decoding: output, as: UTF8.self) }

  /// Runs `program`, found in the usual folders, and waits for it.
  public init(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    exitCode = process.terminationStatus
  }
}

import Foundation
import TestSupport
import Testing

@testable import Pipeline

@Suite struct OutputFileTests {
  private func file(_ path: String, overwrite: Bool = false) throws -> OutputFile {
    try OutputFile(MediaPath(path), overwrite: overwrite, cancellation: Cancellation())
  }

  private func write(_ text: String, to file: OutputFile) -> Int32 {
    let bytes = Array(text.utf8)
    return file.write(bytes, Int32(bytes.count))
  }

  @Test func appearsOnlyWhenItIsFinished() throws {
    let folder = try TemporaryFolder()
    let file = try file(folder.path("out.bin"))
    #expect(write("abc", to: file) == 3)
    #expect(folder.names.count == 1)
    #expect(folder.names != ["out.bin"])
    try file.finish()
    #expect(folder.names == ["out.bin"])
    #expect(try String(contentsOfFile: folder.path("out.bin"), encoding: .utf8) == "abc")
  }

  @Test func vanishesWhenItIsNotFinished() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try file(folder.path("out.bin"))
      #expect(write("abc", to: file) == 3)
    }
    #expect(folder.names == [])
  }

  @Test func neverReplacesAFileThatAppearedMeanwhile() throws {
    let folder = try TemporaryFolder()
    let file = try file(folder.path("out.bin"))
    try Data("old".utf8).write(to: folder.url.appendingPathComponent("out.bin"))
    #expect {
      try file.finish()
    } throws: {
      ($0 as? MediaError)?.kind == .cannotCreate
    }
    #expect(try String(contentsOfFile: folder.path("out.bin"), encoding: .utf8) == "old")
  }

  @Test func replacesAFileWhenAskedTo() throws {
    let folder = try TemporaryFolder()
    try Data("old".utf8).write(to: folder.url.appendingPathComponent("out.bin"))
    let file = try file(folder.path("out.bin"), overwrite: true)
    #expect(write("new", to: file) == 3)
    try file.finish()
    #expect(try String(contentsOfFile: folder.path("out.bin"), encoding: .utf8) == "new")
    #expect(folder.names == ["out.bin"])
  }

  @Test func worksWithTheLongestName() throws {
    let folder = try TemporaryFolder()
    let name = String(repeating: "n", count: 255)
    let file = try file(folder.path(name))
    try file.finish()
    #expect(folder.names == [name])
  }

  @Test func saysThatTheDiskIsFull() throws {
    let file = try file("/dev/full")
    #expect(write("abc", to: file) < 0)
    #expect(
      "\(file.error(file.failure))" == "cannot write '/dev/full': No space left on device"
    )
    #expect(file.error(file.failure).kind == .inputOutput)
  }

  @Test func cannotBeCreatedWithoutItsFolder() throws {
    let folder = try TemporaryFolder()
    #expect {
      _ = try file(folder.path("missing/out.bin"))
    } throws: {
      ($0 as? MediaError)?.kind == .cannotCreate
    }
  }

  @Test func isRefusedBeforehandWhereItCannotGetItsName() throws {
    let folder = try TemporaryFolder()
    try Data().write(to: folder.url.appendingPathComponent("file"))
    let files = FileManager.default
    try files.createSymbolicLink(atPath: folder.path("dangling"), withDestinationPath: "none")
    let check = OutputCheck(overwrite: false, inputs: [], neverReplaced: [])
    let long = String(repeating: "n", count: 300) + ".mkv"
    let names = [long, "file/out.mkv", "none/out.mkv", "dangling"].map { folder.path($0) } + [""]
    for name in names {
      #expect {
        try check.check(MediaPath(name))
      } throws: {
        ($0 as? MediaError)?.kind == .cannotCreate
      }
    }
    let replacing = OutputCheck(overwrite: true, inputs: [], neverReplaced: [])
    #expect(throws: Never.self) { try replacing.check(MediaPath(folder.path("dangling"))) }
  }

  @Test(arguments: ["in.bin", "./in.bin", "symbolic", "hard"])
  func neverIsTheInput(name: String) throws {
    let folder = try TemporaryFolder()
    let input = folder.path("in.bin")
    try Data("media".utf8).write(to: URL(fileURLWithPath: input))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("symbolic"),
      withDestinationPath: input
    )
    try FileManager.default.linkItem(atPath: input, toPath: folder.path("hard"))
    let identity = try #require(FileIdentity(MediaPath(input)))
    #expect {
      try OutputCheck(overwrite: true, inputs: [identity], neverReplaced: []).check(
        MediaPath(folder.path(name))
      )
    } throws: {
      "\($0)".hasSuffix(": it is the input")
    }
  }
}

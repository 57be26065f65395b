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

  // Network shares may have no exclusive renaming, FAT has no second names.
  @Test(arguments: [
    (EEXIST, 0, false, EEXIST), (0, EEXIST, true, 0), (EACCES, 0, false, EACCES),
    (EINVAL, 0, false, 0), (EINVAL, EEXIST, true, EEXIST), (ENOSYS, EPERM, true, EEXIST),
  ])
  func isNamedWithoutReplacing(exclusive: Int32, link: Int32, isTaken: Bool, code: Int32) {
    let naming = Naming(
      exclusively: { exclusive },
      byLink: { link },
      isTaken: { isTaken },
      replacing: {
        Issue.record("nothing may be replaced")
        return 0
      }
    )
    #expect(naming.keepingOthers() == code)
  }

  @Test func isRenamedWhereThereIsNoOtherWay() {
    let naming = Naming(
      exclusively: { EINVAL },
      byLink: { EPERM },
      isTaken: { false },
      replacing: { EIO }
    )
    #expect(naming.keepingOthers() == EIO)
  }

  @Test func waysToANameAreTakenInTheFileSystem() throws {
    let folder = try TemporaryFolder()
    for name in ["old", "new"] {
      try Data(name.utf8).write(to: folder.url.appendingPathComponent(name))
    }
    let taken = Naming(MediaPath(folder.path("old")), MediaPath(folder.path("new")))
    #expect(taken.isTaken() && taken.exclusively() == EEXIST && taken.byLink() == EEXIST)
    #expect(folder.names == ["new", "old"])
    let free = Naming(MediaPath(folder.path("old")), MediaPath(folder.path("free")))
    #expect(!free.isTaken() && free.exclusively() == 0)
    #expect(folder.names == ["free", "new"])
    let linked = Naming(MediaPath(folder.path("free")), MediaPath(folder.path("linked")))
    #expect(linked.byLink() == 0)
    #expect(folder.names == ["linked", "new"])
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

  // As a shell opens it with `>>`, or has written to before.
  @Test(arguments: [O_APPEND, 0], ["/dev/fd/", "/proc/self/fd/"])
  func goesOnWhereAnOpenFileHasComeTo(flag: Int32, names: String) throws {
    let folder = try TemporaryFolder()
    try Data("old".utf8).write(to: folder.url.appendingPathComponent("out.bin"))
    let descriptor = open(folder.path("out.bin"), O_WRONLY | flag)
    defer { close(descriptor) }
    if flag == 0 { lseek(descriptor, 0, SEEK_END) }
    let file = try file("\(names)\(descriptor)")
    #expect(!file.isSeekable && write("new", to: file) == 3)
    try file.finish()
    #expect(try String(contentsOfFile: folder.path("out.bin"), encoding: .utf8) == "oldnew")
  }

  @Test func refusesAnOpenFileThatIsOnlyRead() throws {
    let descriptor = open("/dev/null", O_RDONLY)
    defer { close(descriptor) }
    #expect {
      _ = try file("/dev/fd/\(descriptor)")
    } throws: {
      ($0 as? MediaError)?.kind == .cannotCreate
    }
  }

  @Test func onlyAFileThatIsOpenNeedsNoOverwriting() throws {
    let folder = try TemporaryFolder()
    try Data("old".utf8).write(to: folder.url.appendingPathComponent("out.bin"))
    let descriptor = open(folder.path("out.bin"), O_WRONLY)
    defer { close(descriptor) }
    let check = OutputCheck(overwrite: false, inputs: [], neverReplaced: [])
    #expect(throws: Never.self) { try check.check(MediaPath("/dev/fd/\(descriptor)")) }
    #expect(throws: MediaError.self) {
      try check.check(MediaPath("/proc/\(getpid())/fd/\(descriptor)"))
    }
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

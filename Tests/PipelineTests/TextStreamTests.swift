import Foundation
import Glibc
import TestSupport
import Testing

@testable import Pipeline

@Suite struct TextStreamTests {
  // The kernel hands out such a file in pieces of a page, as some network shares do.
  @Test func readsOnAfterAShortRead() throws {
    let descriptor = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let (bytes, failure) = readAll(16 << 10, of: descriptor, at: 0)
    #expect(bytes.count == 16 << 10 && failure == 0)
  }

  @Test func readsFromAPlaceToTheEnd() throws {
    let folder = try TemporaryFolder()
    try Data([1, 2, 3, 4, 5]).write(to: folder.url.appendingPathComponent("file"))
    let descriptor = open(folder.path("file"), O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    #expect(readAll(3, of: descriptor, at: 1).bytes == [2, 3, 4])
    #expect(readAll(9, of: descriptor, at: 3).bytes == [4, 5])
    #expect(readAll(0, of: descriptor, at: 0).bytes == [])
    #expect(readAll(3, of: -1, at: 0).failure == EBADF)
  }
}

import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What containers can hold, and how they want it.
@Suite struct ContainerTests {
  @Test(arguments: [
    ("out.m3u8", nil), ("out.mpd", nil), ("out.ism", nil), ("out.mkv", "segment"),
    ("out.mkv", "tee"), ("out.ppm", nil), ("out.png", "image2"),
  ])
  func refusesFormatsThatWriteOtherFiles(name: String, format: String?) throws {
    let folder = try TemporaryFolder()
    var options = options(try RunTests.clip(folder), folder.path(name))
    options.output.format = format
    #expect {
      _ = try Transcode(options)
    } throws: {
      ($0 as? MediaError)?.kind == .usage && ($0 as? MediaError)?.step == .create
    }
    #expect(folder.names == ["in.mkv"])
  }
}

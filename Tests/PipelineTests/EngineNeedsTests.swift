import Engine
import TestSupport
import Testing

@testable import Pipeline

@Suite struct EngineNeedsTests {
  // An odd picture gets a column and a row more for the encoder, which the engine need not reach.
  @Test(arguments: [1.0: (33, 25), 2.0: (66, 50), 1.5: (50, 38)])
  func theEngineIsAskedOnceAndToldTheSizes(factor: Double, size: (Int, Int)) throws {
    let folder = try TemporaryFolder()
    let options = options(try oddClip(folder), folder.path("out.mkv"), times: factor)
    var asked: [[Int]] = []
    let transcode = try Transcode(options) { source, target throws(EngineError) in
      asked.append([source.width, source.height, target.width, target.height])
      return EngineNeeds()
    }
    #expect(asked == [[33, 25, size.0, size.1]])
    #expect(transcode.plan.width == (size.0 + 1) / 2 * 2)
  }

  @Test func anEngineThatCannotBeStopsTheRun() throws {
    let folder = try TemporaryFolder()
    let options = options(try oddClip(folder), folder.path("out.mkv"))
    let failure = EngineError.model(subject: "'m'", reason: "it is none")
    #expect(throws: MediaError(.engine(failure), .upscale, "picture", "\(failure)")) {
      try Transcode(options) { _, _ throws(EngineError) in throw failure }
    }
    #expect(folder.names == ["in.mkv"])
  }

  private func oddClip(_ folder: TemporaryFolder) throws -> String {
    let path = folder.path("in.mkv")
    let arguments = [
      "-v", "error", "-f", "lavfi", "-i", "testsrc=size=33x25:rate=25", "-frames:v", "2", "-c:v",
      "ffv1", "-pix_fmt", "yuv420p", path,
    ]
    try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    return path
  }
}

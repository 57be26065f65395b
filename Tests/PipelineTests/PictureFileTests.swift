import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What image files, alone or in a row, replace and what they leave.
@Suite struct PictureFileTests {
  @Test func refusesASecondPictureInOneFileAndLeavesTheOld() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    let old = folder.url.appendingPathComponent("one.png")
    for exists in [false, true] {
      if exists { try Data("precious".utf8).write(to: old) }
      var options = options(input, old.path)
      options.output.overwrite = true
      let transcode = try Transcode(options)
      #expect {
        try transcode.run(upscale: nearest(2))
      } throws: {
        ($0 as? MediaError)?.kind == .usage
      }
      #expect(folder.names == (exists ? ["in.mkv", "one.png"] : ["in.mkv"]))
    }
    #expect(try Data(contentsOf: old) == Data("precious".utf8))
  }

  @Test(arguments: ["p%03d.png", "./p%d.png", "link%d.png", "q%03d.png"])
  func neverReplacesAPictureOfTheInput(output: String) throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    var toPictures = options(input, folder.path("p%03d.png"), times: 1)
    toPictures.part.frames = 0..<3
    _ = try Transcode(toPictures).run(upscale: nearest(1))
    let files = FileManager.default
    try files.createSymbolicLink(atPath: folder.path("link2.png"), withDestinationPath: "p002.png")
    try files.linkItem(atPath: folder.path("p003.png"), toPath: folder.path("p3.png"))
    try files.createSymbolicLink(atPath: folder.path("q003.png"), withDestinationPath: "p003.png")
    var options = options(folder.path("p%03d.png"), folder.path(output))
    options.output.overwrite = true
    #expect {
      _ = try Transcode(options)
    } throws: {
      "\($0)".hasSuffix(": it is the input")
    }
  }

  // How many pictures there will be is not known beforehand.
  @Test func neverReplacesTheInputByALaterPicture() throws {
    let folder = try TemporaryFolder()
    let clip = try RunTests.clip(folder, "in.apng", extra: ["-an", "-c:v", "apng", "-f", "apng"])
    let input = folder.path("p003.png")
    try FileManager.default.moveItem(atPath: clip, toPath: input)
    let before = try Data(contentsOf: URL(fileURLWithPath: input))
    var options = options(input, folder.path("p%03d.png"))
    options.output.overwrite = true
    #expect {
      try Transcode(options).run(upscale: nearest(2))
    } throws: {
      "\($0)".hasSuffix(": it is the input")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: input)) == before)
  }

  @Test func refusesASequenceOfWhichAPictureExists() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    try Data("precious".utf8).write(to: folder.url.appendingPathComponent("p020.png"))
    #expect {
      _ = try Transcode(options(input, folder.path("p%03d.png")))
    } throws: {
      "\($0)".hasSuffix("p020.png': it exists already; -y replaces it")
    }
    var first = options(input, folder.path("p%03d.png"))
    first.part.frames = 0..<19
    #expect(try Transcode(first).run(upscale: nearest(2)).progress.frames == 19)
  }
}

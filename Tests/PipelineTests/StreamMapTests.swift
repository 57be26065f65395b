import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What is kept beside the picture, and what is said of the rest.
@Suite struct StreamMapTests {
  @Test func keepsAttachedFiles() throws {
    let folder = try TemporaryFolder()
    let font = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    try font.write(to: URL(fileURLWithPath: folder.path("font.bin")))
    let input = try made(
      folder,
      ["-i", try madeClip(folder, "plain.mkv"), "-attach", folder.path("font.bin")]
        + ["-metadata:s:t", "mimetype=application/x-truetype-font"]
        + ["-metadata:s:t", "filename=a font.ttf", "-c", "copy"]
    )
    let transcode = try Transcode(options(input, folder.path("out.mkv")))
    #expect(transcode.plan.notices.allSatisfy { !$0.text.contains("left out") })
    _ = try transcode.run(upscale: nearest(1))
    _ = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-dump_attachment:t:0", folder.path("found"), "-i", folder.path("out.mkv")]
    )
    #expect(FileManager.default.contents(atPath: folder.path("found")) == font)
    let other = try Transcode(options(input, folder.path("out.mp4"))).plan.notices.map(\.text)
    #expect(other.contains { $0.contains("mp4 cannot hold it, matroska can") }, "\(other)")
  }

  @Test(arguments: ["mov", "avi", "ts"]) func saysWhereACoverWouldBeKept(container: String) throws {
    let folder = try TemporaryFolder()
    let input = try coveredClip(folder)
    let transcode = try Transcode(options(input, folder.path("out." + container)))
    let notices = transcode.plan.notices.map(\.text)
    #expect(notices.contains { $0.hasSuffix("cannot hold it, matroska can") }, "\(notices)")
    #expect(try transcode.run(upscale: nearest(1)).progress.frames == 50)
  }

  @Test func ofTwoSoundsTheDefaultOneGoesIntoFLV() throws {
    let folder = try TemporaryFolder()
    let clip = try madeClip(folder, "plain.mkv")
    let input = try made(
      folder,
      ["-i", clip, "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy"]
        + ["-disposition:a:0", "0", "-disposition:a:1", "default"]
    )
    let transcode = try Transcode(options(input, folder.path("out.flv")))
    #expect(transcode.plan.outputStreams == [0, nil, 1])
    let notices = transcode.plan.notices.map(\.text)
    #expect(notices.contains { $0.contains("stream 1 ") && $0.contains("matroska more") })
    #expect(try transcode.run(upscale: nearest(1)).progress.frames == 50)
  }

  @Test func aSoundThatFLVCannotHoldTakesNoPlace() throws {
    let folder = try TemporaryFolder()
    let clip = try madeClip(folder, "plain.mkv")
    let input = try made(
      folder,
      ["-i", clip, "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c:v", "copy", "-c:a:0", "copy"]
        + ["-c:a:1", "libopus", "-disposition:a:0", "0", "-disposition:a:1", "default"]
    )
    let plan = try Transcode(options(input, folder.path("out.flv"))).plan
    #expect(plan.outputStreams == [0, 1, nil])
  }

  @Test(arguments: ["avi": true, "ts": true, "gif": true, "mp4": false, "mkv": false, "nut": false])
  func saysThatChaptersAreLost(container: String, areLost: Bool) throws {
    let folder = try TemporaryFolder()
    let chapters = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=a\n"
    try chapters.write(toFile: folder.path("chapters"), atomically: true, encoding: .utf8)
    let input = try made(
      folder,
      ["-i", try madeClip(folder, "plain.mkv"), "-i", folder.path("chapters")]
        + ["-map_chapters", "1", "-c", "copy"]
    )
    let output = folder.path("out." + container)
    let transcode = try Transcode(options(input, output))
    let isSaid = transcode.plan.notices.contains { $0.text.hasPrefix("left out: chapters, 1") }
    #expect(isSaid == areLost)
    _ = try transcode.run(upscale: nearest(1))
    let found = try Subprocess(
      "ffprobe",
      ["-v", "error", "-show_chapters", "-of", "csv=p=0", output]
    )
    #expect(found.output.isEmpty == areLost)
  }

  @Test func chaptersEndWithThePart() throws {
    let folder = try TemporaryFolder()
    let input = try made(
      folder,
      ["-i", try madeClip(folder, "plain.mkv"), "-i", try twoChapters(folder)]
        + ["-map_chapters", "1", "-c", "copy"]
    )
    let parts = [
      Part(end: .milliseconds(480)), Part(frames: 0..<12), Part(end: .milliseconds(1480)),
    ]
    let first = try frameTimes(input)[0]
    for (part, ends) in zip(parts, [[first + 0.48], [first + 0.48], [1, first + 1.48]]) {
      let output = folder.path("\(ends.count).mp4")
      var options = options(input, output)
      (options.part, options.output.overwrite) = (part, true)
      _ = try Transcode(options).run(upscale: nearest(1))
      let found = try Subprocess(
        "ffprobe",
        ["-v", "error", "-show_entries", "chapter=end_time", "-of", "csv=p=0", output]
      )
      let lines = String(decoding: found.output, as: UTF8.self).split(separator: "\n")
      let differences = zip(lines.compactMap { Double($0) }, ends).map { abs($0 - $1) }
      // The last one ends with the sound there; a packet of AAC lasts 23 ms.
      #expect(lines.count == ends.count && differences.allSatisfy { $0 < 0.024 }, "\(lines)")
    }
  }
}

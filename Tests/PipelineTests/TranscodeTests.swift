import Engine
import Foundation
import TestSupport
import Testing

@testable import Pipeline

@Suite struct TranscodeTests {
  /// A real clip, the container it is written to, and how many times larger.
  struct Clip: CustomTestStringConvertible, Sendable {
    let name: String
    var output: String
    var scale = 2.0
    var testDescription: String { "\(name) to \(output)" }
  }

  static let clips = [
    Clip(name: "nasa_13013.mp4", output: "mp4", scale: 2),
    Clip(name: "bigbuckbunny.mp4", output: "mp4", scale: 1),
    Clip(name: "chaplin.mp4", output: "mp4", scale: 1),
    Clip(name: "mkv_sample_with_ass_subtitles.mkv", output: "mkv", scale: 1),
    Clip(name: "mkv_sample_with_chapters.mkv", output: "mkv", scale: 2),
    Clip(name: "vp9_bear-vp9-odd-dimensions.webm", output: "webm", scale: 1),
    Clip(name: "mp4_sample_sef_slow_motion.mp4", output: "mp4", scale: 4),
    Clip(name: "avi_sample.avi", output: "avi", scale: 1),
    Clip(name: "flv_sample.flv", output: "flv", scale: 1),
    Clip(name: "ts_bbb_2500ms.ts", output: "ts", scale: 1),
  ]

  @Test(.enabled(if: SharedFolder.media.isExpected), arguments: clips)
  func keepsEveryFrameAndItsTime(clip: Clip) throws {
    let folder = try TemporaryFolder()
    let input = try SharedFolder.media.path(clip.name)
    let output = folder.path("out.\(clip.output)")
    var options = options(input, output, times: clip.scale)
    options.output.encoder.preset = "ultrafast"
    let transcode = try Transcode(options)
    let report = try transcode.run(upscale: nearest(Int(clip.scale)))

    let before = try frameTimes(input)
    let after = try frameTimes(output)
    #expect(report.progress.frames == before.count)
    #expect(after.count == before.count && !before.isEmpty)
    // Half a millisecond: what Matroska and FLV can store.
    let errors = zip(before, after).map { abs($0 - $1) }
    #expect(errors.max() ?? 1 <= 0.0005, "times differ by up to \(errors.max() ?? 1) s")
    let picture = transcode.input.pictureStream ?? 0
    let copiedBefore = try copiedPackets(input, picture: picture)
    let copiedAfter = try copiedPackets(output, picture: picture)
    #expect(copiedAfter.keys.sorted() == copiedBefore.keys.sorted())
    for (stream, packets) in copiedBefore {
      let copies = copiedAfter[stream] ?? []
      #expect(copies.map(\.bytes) == packets.map(\.bytes), "stream \(stream)")
      let errors = zip(copies, packets).map { abs($0.seconds - $1.seconds) }
      #expect(errors.max() ?? 0 <= 0.001, "stream \(stream): \(errors.max() ?? 0)")
    }
    #expect(folder.names == ["out.\(clip.output)"])
  }
}

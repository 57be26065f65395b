import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What happens to times and streams that a container cannot take as they are.
@Suite struct MuxerTests {
  // AVI has no start times; a recording's first picture may come after hours.
  @Test(arguments: ["600", "5000"]) func picturesFollowEachOtherInAVI(start: String) throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.ts", extra: ["-output_ts_offset", start])
    let output = folder.path("out.avi")
    var options = options(input, output)
    options.output.encoder.codec = "mpeg4"
    #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == 50)
    let times = try frameTimes(output)
    // A picture more than 49 steps: in AVI all streams begin at whole pictures.
    #expect(times.count == 50 && times[49] - times[0] < 2.01)
  }

  @Test(arguments: ["mpeg2video", "prores_ks"])
  func picturesWithoutSoundBesideThemStayInMXF(codec: String) throws {
    let folder = try TemporaryFolder()
    let sound = ["-af", "atrim=0:1", "-ar", "48000", "-ac", "1", "-c:a", "pcm_s16le"]
    let output = folder.path("out.mxf")
    var options = options(try madeClip(folder, "in.mov", extra: sound), output)
    options.output.encoder.codec = codec
    let transcode = try Transcode(options)
    #expect(transcode.plan.notices.contains { $0.text.contains("silence follows") })
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 50)
    let times = try frameTimes(output)
    #expect(times.count == 50 && abs(times[49] - times[0] - 1.96) < 0.001)
    let samples = try #require(try copiedPackets(output, picture: 0)[1]).flatMap(\.bytes)
    // Two bytes each.
    #expect(samples.count == 2 * 48000 * 2)
    #expect(samples.dropFirst(49000 * 2).allSatisfy { $0 == 0 })
  }

  @Test(arguments: ["out.mkv": [], "out.avi": ["disposition comment"]])
  func saysThatNobodyKnowsWhatAStreamIsFor(output: String, lost: [String]) throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, extra: ["-disposition:a:0", "comment"])
    let report = try Transcode(options(input, folder.path(output))).run(upscale: nearest(2))
    #expect(report.lostTags == lost)
  }

  /// The packets are those of a text, since ffmpeg makes no pictures of one; nobody looks into them here.
  @Test func subtitlesWithoutAnEndGoIntoMovies() throws {
    let folder = try TemporaryFolder()
    let text = "1\n00:00:01,000 --> 1193:02:47,295\nhello\n"
    try text.write(toFile: folder.path("in.srt"), atomically: true, encoding: .utf8)
    let clip = try madeClip(folder, "plain.mkv")
    let arguments = [
      "-i", clip, "-i", folder.path("in.srt"), "-map", "0", "-map", "1", "-c", "copy",
    ]
    let input = try made(folder, arguments)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    let codec = try #require(bytes.range(of: Data("S_TEXT/UTF8".utf8)))
    bytes.replaceSubrange(codec, with: Data("S_VOBSUB\0\0\0".utf8))
    try bytes.write(to: URL(fileURLWithPath: input))
    let output = folder.path("out.mp4")
    let report = try Transcode(options(input, output)).run(upscale: nearest(2))
    #expect(report.progress.frames == 50 && report.droppedPackets == 0)
    #expect(try copiedPackets(output, picture: 0)[2]?.count == 1)
  }

  @Test(arguments: ["mp4", "mkv"]) func picturesOfChaptersAreKept(container: String) throws {
    let folder = try TemporaryFolder()
    let input = try clipWithThumbnails(folder)
    let output = folder.path("out." + container)
    let transcode = try Transcode(options(input, output))
    #expect(transcode.plan.outputStreams.prefix(3) == [0, 1, 2])
    let report = try transcode.run(upscale: nearest(2))
    #expect(report.progress.frames == 50 && report.repairedTimes == 0)
    #expect(try copiedPackets(output, picture: 0)[2]?.map(\.seconds) == [0, 1])
  }

  @Test(arguments: ["avi", "ts"]) func picturesOfChaptersAreLeftOut(container: String) throws {
    let folder = try TemporaryFolder()
    let input = try clipWithThumbnails(folder)
    let transcode = try Transcode(options(input, folder.path("out." + container)))
    let notices = transcode.plan.notices.map(\.text)
    #expect(
      notices.contains { $0.contains("stream 2 ") && $0.hasSuffix("matroska can") },
      "\(notices)"
    )
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 50)
  }

  // Clocks of transport streams begin anew after 95443.7 seconds; libav counts back from there.
  @Test(arguments: ["mp4", "mov", "mkv"], ["95442.5", "95443.3"])
  func nothingBeforeZeroIsLost(container: String, start: String) throws {
    let folder = try TemporaryFolder()
    let late = ["-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", start]
    let input = try madeClip(folder, "in.ts", extra: late)
    #expect(try frameTimes(input)[0] < 0)
    let output = folder.path("out." + container)
    _ = try Transcode(options(input, output)).run(upscale: nearest(2))
    let times = try frameTimes(output)
    let steps = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(times.count == 50 && times[0] >= 0)
    #expect(steps.allSatisfy { abs($0 - 0.04) < 0.0011 })
    let (before, after) = try (copiedPackets(input, picture: 0), copiedPackets(output, picture: 0))
    #expect(before[1]?.count == after[1]?.count)
    let delay = try #require(before[1]?.first).seconds - frameTimes(input)[0]
    #expect(abs(try #require(after[1]?.first).seconds - times[0] - delay) < 0.002)
  }

  /// Its reader cuts what it cannot understand into other packets.
  @Test(arguments: ["ts", "avi"]) func damagedSoundIsNotCounted(container: String) throws {
    let folder = try TemporaryFolder()
    let whole = try madeClip(folder, extra: ["-strict", "-2", "-c:a", "dca", "-ac", "2"])
    let bad = folder.path("bad.mkv")
    let arguments = ["-v", "error", "-i", whole, "-c", "copy", "-bsf:a", "noise=100", bad]
    try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    let report = try Transcode(options(bad, folder.path("out." + container)))
      .run(upscale: nearest(2))
    #expect(report.damagedPackets > 0)
    #expect(report.progress.frames == 50)
  }

  // libav's lists say that all of them can be stored.
  @Test(arguments: [
    ("flac", "48000", "mov", false), ("flac", "48000", "mp4", true),
    ("libopus", "48000", "mov", false), ("libopus", "48000", "mkv", true),
    ("pcm_s16le", "48000", "flv", false), ("pcm_s16le", "44100", "flv", true),
    ("pcm_s16le", "44100", "mxf", false), ("pcm_s16le", "48000", "mxf", true),
    ("aac", "44100", "swf", false), ("libmp3lame", "44100", "swf", true),
  ])
  func soundThatAMuxerRefusesIsLeftOut(
    codec: String,
    rate: String,
    container: String,
    isKept: Bool,
  ) throws {
    let folder = try TemporaryFolder()
    let sound = ["-strict", "-2", "-c:a", codec, "-ar", rate, "-ac", "1"]
    let input = try madeClip(folder, extra: sound)
    let transcode = try Transcode(options(input, folder.path("out." + container)))
    #expect(transcode.plan.outputStreams == [0, isKept ? 1 : nil])
    let notices = transcode.plan.notices.map(\.text)
    #expect(notices.contains { $0.contains("cannot hold it") } == !isKept, "\(notices)")
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 50)
  }

  @Test(arguments: ["mp4", "mov"]) func namesHEVCAsApplesPlayersWantIt(container: String) throws {
    let folder = try TemporaryFolder()
    let output = folder.path("out." + container)
    var options = options(try madeClip(folder), output)
    options.output.encoder.codec = "libx265"
    #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == 50)
    let entries = ["-select_streams", "v", "-show_entries", "stream=codec_tag_string"]
    let found = try Subprocess("ffprobe", ["-v", "error"] + entries + ["-of", "csv=p=0", output])
    #expect(String(decoding: found.output, as: UTF8.self) == "hvc1\n")
  }

  // ffmpeg writes the names of chapters as a track that the others refer to; the reference is changed to
  // one of pictures.
  private func clipWithThumbnails(_ folder: TemporaryFolder) throws -> String {
    let pictures = ["-f", "lavfi", "-i", "testsrc2=size=32x32:rate=1:duration=2"]
    let codecs = ["-c", "copy", "-c:v:1", "mjpeg", "-pix_fmt:v:1", "yuvj420p"]
    let input = folder.path("thumbnails.mp4")
    let arguments =
      ["-v", "error", "-i", try madeClip(folder, "plain.mp4")] + pictures
      + ["-i", try twoChapters(folder), "-map", "0", "-map", "1", "-map_chapters", "2"] + codecs
    try #require(try Subprocess("ffmpeg", arguments + [input]).exitCode == 0)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    let reference = Data([0, 0, 0, 12]) + Data("chap".utf8)
    var rest = bytes.startIndex..<bytes.endIndex
    while let box = bytes.range(of: reference, in: rest) {
      bytes[box.upperBound + 3] = 3
      rest = box.upperBound..<bytes.endIndex
    }
    try bytes.write(to: URL(fileURLWithPath: input))
    return input
  }
}

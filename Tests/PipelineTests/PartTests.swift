import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Which frames, and which packets of other streams, belong to a part.
@Suite struct PartTests {
  @Test(arguments: [
    (Part(start: .seconds(1)), "01:00:01:00"), (Part(frames: 10..<30), "01:00:00:10"),
    (Part(end: .seconds(1)), "01:00:00:00"),
  ])
  func theTimecodeIsThatOfTheFirstPicture(part: Part, timecode: String) throws {
    let folder = try TemporaryFolder()
    let film = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=2"]
    let input = try made(folder, film + ["-timecode", "01:00:00:00"], "in.mov")
    var options = options(input, folder.path("out.mov"))
    options.part = part
    _ = try Transcode(options).run(upscale: nearest(2))
    let probe = ["-v", "error", "-show_entries", "stream_tags=timecode", "-of", "csv=p=0"]
    let found = try Subprocess("ffprobe", probe + [folder.path("out.mov")]).text
    #expect(Set(found.split(separator: "\n")) == [Substring(timecode)])
  }

  @Test(arguments: [0..<1, 0..<10, 7..<20, 40..<100])
  func keepsExactlyTheChosenFrames(frames: Range<Int>) throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    var options = options(input, folder.path("out.mkv"))
    options.part.frames = frames
    let report = try Transcode(options).run(upscale: nearest(2))
    let times = try frameTimes(folder.path("out.mkv"))
    #expect(report.progress.frames == frames.clamped(to: 0..<50).count)
    #expect(times.count == report.progress.frames)
    // Nothing moves when the beginning is kept.
    let start = frames.lowerBound == 0 ? try frameTimes(input)[0] : 0
    #expect(times.first == start)
    let sound = try #require(try copiedPackets(folder.path("out.mkv"), picture: 0)[1])
    let length = Double(frames.clamped(to: 0..<50).count) / 25
    // One packet of AAC lasts 23 ms.
    #expect(sound.allSatisfy { $0.seconds >= -0.024 && $0.seconds < start + length + 0.001 })
    #expect(try #require(sound.last).seconds + 0.05 >= min(length, 1.9))
  }

  @Test func keepsThePartBetweenTwoTimes() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    var options = options(input, folder.path("out.mp4"))
    options.part = Part(start: .milliseconds(500), end: .milliseconds(1500))
    _ = try Transcode(options).run(upscale: nearest(2))
    let times = try frameTimes(folder.path("out.mp4"))
    let before = try frameTimes(input)
    let shown = before.map { $0 - before[0] }
    let kept = shown.filter { $0 >= 0.5 && $0 < 1.5 }
    #expect(times.count == kept.count && !kept.isEmpty)
    #expect(zip(times, kept).allSatisfy { abs($0 + 0.5 - $1) < 0.001 })
  }

  /// Pictures between a key frame and those that follow it in time may refer to what lies before.
  @Test func aPartThatBeginsInsideIsNotDamaged() throws {
    let folder = try TemporaryFolder()
    let open = "open-gop=1:keyint=20:min-keyint=20:bframes=3:b-adapt=0:scenecut=0"
    let input = try madeClip(folder, extra: ["-preset", "medium", "-x264-params", open])
    var options = options(input, folder.path("out.mkv"))
    options.part = Part(start: .milliseconds(1600))
    options.damage.isStrict = true
    let report = try Transcode(options).run(upscale: nearest(2))
    #expect(report.progress.frames == 10 && !report.isDamaged)
  }

  @Test(arguments: [
    Part(end: .seconds(1), frames: 0..<1000), Part(start: .seconds(1), frames: 10..<50),
  ])
  func keepsWhatLiesInTheFramesAndTheTimes(part: Part) throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    let output = folder.path("out.mkv")
    var options = options(input, output)
    options.part = part
    #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == 25)
    let start = part.start == nil ? try frameTimes(input)[0] : 0
    #expect(abs(try frameTimes(output)[0] - start) < 0.001)
    let sound = try #require(try copiedPackets(output, picture: 0)[1])
    // One packet of AAC lasts 23 ms.
    #expect(sound.allSatisfy { $0.seconds >= -0.024 && $0.seconds < start + 1 })
    #expect(abs(try #require(sound.last).seconds - 1) < 0.05)
  }

  @Test func aPartKeepsTheCover() throws {
    let folder = try TemporaryFolder()
    let input = try coveredClip(folder)
    var options = options(input, folder.path("out.mp4"))
    options.part = Part(start: .seconds(1))
    _ = try Transcode(options).run(upscale: nearest(2))
    // A cover without its picture is no stream of a movie file.
    let info = try MediaInfo(reading: InputOptions(MediaPath(folder.path("out.mp4"))))
    #expect(info.streams.count == 3)
  }

  // The output is planned after the first picture, which is not part of it.
  @Test func aPartOfAnotherSizeIsFittedWithAWord() throws {
    let folder = try TemporaryFolder()
    let sizes = ["64:48", "96:48"].map { size in
      [
        "-an", "-frames:v", "5", "-c:v", "mpeg2video", "-vf", "scale=\(size),setsar=1", "-f",
        "mpeg2video",
      ]
    }
    let clip = try madeClip(folder)
    var bytes = Data()
    for (number, arguments) in sizes.enumerated() {
      let part = try made(folder, ["-i", clip] + arguments, "\(number).m2v")
      bytes += try Data(contentsOf: URL(fileURLWithPath: part))
    }
    try bytes.write(to: URL(fileURLWithPath: folder.path("in.m2v")))
    var options = options(folder.path("in.m2v"), folder.path("out.mkv"))
    options.part = Part(frames: 6..<8)
    #expect(try Transcode(options).run(upscale: nearest(2)).changes == [.size])
  }

  // Its first pictures would refer to what was cut off, and movie files do not give them back.
  @Test(arguments: ["out.mp4", "out.mkv"])
  func aSecondFilmBeginsAtAKeyFrame(output: String) throws {
    let folder = try TemporaryFolder()
    let clip = try madeClip(folder, "plain.mkv", extra: ["-g", "12"])
    let input = try made(folder, ["-i", clip, "-map", "0", "-map", "0:v", "-c", "copy"], "two.mp4")
    var options = options(input, folder.path(output))
    options.part = Part(frames: 10..<30)
    _ = try Transcode(options).run(upscale: nearest(2))
    let film = try #require(try copiedPackets(folder.path(output), picture: 0)[2])
    let first = try #require(film.first)
    #expect(film.count == 18 && abs(first.seconds - 0.08) < 0.001)
  }

  @Test func aFrameThatNoTimeReachesMovesNothing() {
    let window = PartWindow(Part(start: .seconds(5), frames: (.max - 2)..<(.max - 1)))
    #expect(window.estimatedOffset(frameRate: Rational(1, 1000)) == .seconds(-5))
  }

  // Some files begin late, such as recordings of television.
  @Test func countsTimesFromTheFirstPicture() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.ts", extra: ["-output_ts_offset", "1000"])
    try #require(try frameTimes(input)[0] > 1000)
    let parts = [
      (Part(end: .seconds(1)), 25), (Part(start: .seconds(1)), 25),
      (Part(start: .milliseconds(500), end: .milliseconds(1500)), 25),
    ]
    for (number, (part, count)) in parts.enumerated() {
      var options = options(input, folder.path("\(number).mkv"))
      options.part = part
      #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == count)
      let times = try frameTimes(folder.path("\(number).mkv"))
      #expect(times.count == count && (part.start == nil) == (times[0] > 1000))
      let sound = try #require(try copiedPackets(folder.path("\(number).mkv"), picture: 0)[1])
      #expect((10..<60).contains(sound.count), "\(sound.count) packets of sound")
    }
  }

  /// A line that is shown from 0.5 to 1.5 seconds.
  @Test(arguments: [
    (Part(start: .seconds(1)), "0.000000,0.500000\n"),
    (Part(end: .seconds(1)), "0.500000,0.500000\n"),
    (Part(start: .milliseconds(760), end: .milliseconds(1240)), "0.000000,0.480000\n"),
    (Part(frames: 25..<50), "0.000000,0.500000\n"),
    (Part(frames: 0..<25), "0.500000,0.500000\n"),
    (Part(start: .milliseconds(1600)), ""),
  ])
  func linesAreShownAsFarAsThePartGoes(part: Part, line: String) throws {
    let folder = try TemporaryFolder()
    let (text, input) = (folder.path("line.srt"), folder.path("both.mkv"))
    try Data("1\n00:00:00,500 --> 00:00:01,500\nhello\n".utf8).write(to: URL(filePath: text))
    let plain = try madeClip(folder, extra: ["-an"])
    let files = ["-v", "error", "-i", plain, "-i", text, "-map", "0", "-map", "1", "-c", "copy"]
    try #require(try Subprocess("ffmpeg", files + [input]).exitCode == 0)
    var options = options(input, folder.path("out.mkv"))
    options.part = part
    _ = try Transcode(options).run(upscale: nearest(2))
    let entries = ["-select_streams", "s", "-show_entries", "packet=pts_time,duration_time"]
    let arguments = ["-v", "error"] + entries + ["-of", "csv=p=0", folder.path("out.mkv")]
    #expect(try Subprocess("ffprobe", arguments).text == line)
  }

  @Test(arguments: ["libx264", "libsvtav1"])
  func refusesAPartWithoutFrames(codec: String) throws {
    let folder = try TemporaryFolder()
    var options = options(try madeClip(folder), folder.path("out.mkv"))
    options.output.encoder.codec = codec
    options.part.start = .seconds(60)
    let transcode = try Transcode(options)
    #expect {
      try transcode.run(upscale: nearest(2))
    } throws: {
      "\($0)"
        == "cannot encode the output: no frame lies in the chosen part; the last one read is at 1.96 seconds"
    }
    #expect(folder.names == ["in.mkv"])
  }
}

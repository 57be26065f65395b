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
    var options = options(try madeClip(folder), folder.path(name))
    options.output.format = format
    #expect {
      _ = try Transcode(options)
    } throws: {
      ($0 as? MediaError)?.kind == .usage && ($0 as? MediaError)?.step == .create
    }
    #expect(folder.names == ["in.mkv"])
  }

  @Test(arguments: ["yuv", "y4m", "h264", "hevc", "mjpeg", "gif", "apng"])
  func leavesSoundOutOfFormatsForPicturesOnly(name: String) throws {
    let folder = try TemporaryFolder()
    let subtitles = folder.path("in.srt")
    try Data("1\n00:00:00,000 --> 00:00:01,000\nhello\n".utf8)
      .write(to: URL(fileURLWithPath: subtitles))
    let plain = try madeClip(folder)
    let input = folder.path("all.mkv")
    let arguments = ["-v", "error", "-i", plain, "-i", subtitles, "-map", "0", "-map", "1"]
    try #require(try Subprocess("ffmpeg", arguments + ["-c", "copy", input]).exitCode == 0)
    let transcode = try Transcode(options(input, folder.path("out.\(name)")))
    let warnings = transcode.plan.notices.filter { $0.level == .warning }
    #expect(warnings.count == 1, "\(warnings)")
    #expect(warnings.first?.text.hasPrefix("left out: stream 1 (audio, aac), stream 2 (") == true)
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 50)
  }

  @Test(arguments: ["h264", "hevc"]) func rawStreamsSayTheirRate(name: String) throws {
    let folder = try TemporaryFolder()
    let output = folder.path("out.\(name)")
    _ = try Transcode(options(try madeClip(folder), output)).run(upscale: nearest(2))
    let demuxer = try Demuxer(InputOptions(MediaPath(output)), cancellation: Cancellation())
    #expect(demuxer.finestRate(of: 0) == Rational(25, 1))
  }

  @Test func bluRayHasItsPackets() throws {
    let folder = try TemporaryFolder()
    let output = folder.path("out.m2ts")
    _ = try Transcode(options(try madeClip(folder), output)).run(upscale: nearest(2))
    let bytes = try Array(Data(contentsOf: URL(filePath: output)))
    #expect(bytes.count % 192 == 0 && bytes[4] == 0x47 && bytes[196] == 0x47)
    #expect(try frameTimes(output).count == 50)
  }

  // A second without pictures lies between one and two seconds.
  @Test(arguments: ["y4m", "mxf", "h264"])
  func formatsThatCountFramesRepeatThemInPauses(name: String) throws {
    let folder = try TemporaryFolder()
    let pause = ["-vf", "setpts=PTS+gte(N\\,25)/TB", "-fps_mode", "vfr", "-c:a", "pcm_s16le"]
    let input = try madeClip(folder, extra: pause)
    let output = folder.path("out.\(name)")
    let report = try Transcode(options(input, output)).run(upscale: nearest(2))
    #expect(try frameTimes(output).count == 75)
    #expect(report.framesDecoded == 50 && report.progress.frames == 75)
  }

  @Test(arguments: ["yuv420p", "yuv444p10le", "gray", "gbrp"])
  func writesPicturesAsYUV4MPEG2(format: String) throws {
    let folder = try TemporaryFolder()
    let lossless = ["-an", "-c:v", "ffv1", "-pix_fmt", format]
    let input = try madeClip(folder, extra: lossless)
    let output = folder.path("out.y4m")
    _ = try Transcode(options(input, output, times: 1)).run(upscale: nearest(1))
    let info = try MediaInfo(reading: InputOptions(MediaPath(output)))
    let picture = try #require(info.streams.first?.picture)
    #expect(picture.pixelFormat == (format == "gbrp" ? "yuv444p" : format))
    #expect(try frameTimes(output).count == 50)
  }

  @Test func rawPicturesAreNothingButPictures() throws {
    let folder = try TemporaryFolder()
    _ = try Transcode(options(try madeClip(folder), folder.path("out.yuv")))
      .run(upscale: nearest(2))
    let bytes = try FileManager.default.attributesOfItem(atPath: folder.path("out.yuv"))
    #expect(bytes[.size] as? Int == 50 * 128 * 96 * 3 / 2)
  }

  @Test(arguments: [("ogv", [nil]), ("mpg", [nil]), ("mxf", [nil]), ("ts", [1])])
  func copiesTheSoundThatAContainerTakes(name: String, sound: [Int?]) throws {
    let folder = try TemporaryFolder()
    let transcode = try Transcode(options(try madeClip(folder), folder.path("out.\(name)")))
    #expect(transcode.plan.outputStreams == [0] + sound)
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 50)
  }

  // Their time base is a frame, whatever the input counts in.
  @Test(arguments: ["mpeg1video", "mpeg2video", "mpeg4"], ["in.mp4", "in.ts"])
  func encodesWithCodecsThatCountFrames(codec: String, input: String) throws {
    let folder = try TemporaryFolder()
    var options = options(try madeClip(folder, input), folder.path("out.mkv"))
    options.output.encoder.codec = codec
    #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == 50)
    let times = try frameTimes(folder.path("out.mkv"))
    let steps = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(steps.count == 49 && steps.allSatisfy { abs($0 - 0.04) < 0.0011 })
  }

  // Some frames are shown ten times as long as others: there is no usual rate.
  @Test(arguments: [("mpeg4", "avi"), ("mpeg4", "mp4"), ("mpeg2video", "mkv")])
  func keepsTheTimesOfIrregularFrames(codec: String, container: String) throws {
    let folder = try TemporaryFolder()
    let some = ["-an", "-vf", "select='lt(n,20)+not(mod(n,10))'", "-vsync", "vfr"]
    let input = try madeClip(folder, "in.mp4", extra: some)
    let output = folder.path("out.\(container)")
    var options = options(input, output)
    options.output.encoder.codec = codec
    #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == 23)
    let (before, after) = (try frameTimes(input), try frameTimes(output))
    #expect(after.count == 23)
    #expect(zip(before, after).allSatisfy { abs($0 - before[0] - $1 + after[0]) < 0.0011 })
  }

  // Rate control shares bits among the frames that it counts, so pauses are none.
  @Test func countsTheFramesThatThereAreForARate() throws {
    let folder = try TemporaryFolder()
    let some = ["-an", "-vf", "select='lt(n,20)+not(mod(n,10))'", "-vsync", "vfr"]
    let input = try madeClip(folder, "in.mp4", extra: some)
    var options = options(input, folder.path("out.avi"))
    options.output.encoder.codec = "mpeg4"
    options.output.encoder.options = [.init(key: "b", value: "200k")]
    _ = try Transcode(options).run(upscale: nearest(2))
    let times = try frameTimes(folder.path("out.avi"))
    #expect(times.count == 23 && times[1] - times[0] > 0.06)
  }

  // Theora stores no frame that repeats the one before.
  @Test func keepsEveryFrameInOgg() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.mp4", extra: ["-vf", "noise=alls=40:allf=t"])
    let output = folder.path("out.ogv")
    _ = try Transcode(options(input, output)).run(upscale: nearest(2))
    #expect(try frameTimes(output).count == 50)
  }

  @Test(arguments: [("mpeg4", "avi"), ("mpeg2video", "mpg"), ("mjpeg", "avi")])
  func coarserStepsMakeSmallerFiles(codec: String, container: String) throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    func byteCount(_ quality: String?) throws -> Int {
      let output = folder.path("\(quality ?? "usual").\(container)")
      var options = options(input, output)
      options.output.encoder.codec = codec
      if let quality {
        options.output.encoder.options = [.init(key: "global_quality", value: quality)]
      }
      _ = try Transcode(options).run(upscale: nearest(2))
      return try Data(contentsOf: URL(filePath: output)).count
    }
    #expect(try byteCount("2360") < byteCount(nil))
  }

  @Test func refusesMoreFramesThanGIFShows() throws {
    let folder = try TemporaryFolder()
    let fast = try madeClip(folder, "fast.mp4", extra: ["-an", "-r", "60"])
    // A short last frame raises the average.
    let usual = try madeClip(folder, "usual.mp4", extra: ["-an", "-r", "50"])
    let short = folder.path("short.mp4")
    let cut = ["-v", "error", "-i", usual, "-c", "copy", "-bsf:v", "setts=duration=128", short]
    try #require(Subprocess("ffmpeg", cut).exitCode == 0)
    var options = options(fast, folder.path("out.gif"))
    let error = #expect(throws: MediaError.self) { try Transcode(options) }
    #expect(error?.kind == .usage)
    #expect(error?.reason.hasPrefix("it shows 50 frames per second at most") == true)
    options.part.frames = 0..<2
    #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == 2)
    options.part.frames = nil
    options.output.overwrite = true
    for input in [usual, short] {
      options.input.path = MediaPath(input)
      #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == 100)
    }
  }

  // Ten pictures in a tenth of a second, and then ten in a second.
  @Test func showsPicturesOfABurstInAGIFOneAfterTheOther() throws {
    let folder = try TemporaryFolder()
    let filter = "settb=1/1000,setpts='if(lt(N,10),N*10,100*(N-9))'"
    let burst = ["-an", "-vf", filter, "-fps_mode", "vfr"]
    let input = try madeClip(
      folder,
      "burst.mkv",
      extra: burst + ["-frames:v", "20", "-enc_time_base", "1/1000"]
    )
    let output = folder.path("out.gif")
    let outcome = try Transcode(options(input, output)).run(upscale: nearest(2))
    #expect(outcome.progress.frames == 20)
    #expect(outcome.repairedTimes > 0)
    let times = try frameTimes(output)
    #expect(zip(times.dropFirst(), times).allSatisfy { $0 - $1 > 0.015 })
  }

  // Players take large pictures for BT.709 where nothing tells their matrix.
  @Test(arguments: [
    ("wrapped_avframe", "y4m"), ("ffv1", "nut"), ("ffv1", "avi"), ("mpeg4", "avi"),
    ("mpeg4", "mp4"), ("mpeg4", "mkv"), ("libx264", "mp4"), ("mpeg2video", "mpg"),
  ])
  func keepsColoursThatBecomeHD(codec: String, container: String) throws {
    let folder = try TemporaryFolder()
    let (input, output) = (folder.path("in.mkv"), folder.path("out.\(container)"))
    let green = ["-f", "lavfi", "-i", "color=c=0x20C040:size=64x48:rate=25", "-frames:v", "1"]
    let small = ["-c:v", "ffv1", "-vf", "scale=out_color_matrix=bt601,format=yuv420p", input]
    try #require(try Subprocess("ffmpeg", ["-v", "error"] + green + small).exitCode == 0)
    var enlarged = options(input, output, times: 20)
    enlarged.output.encoder.codec = codec
    _ = try Transcode(enlarged).run(upscale: nearest(20))
    let shown = folder.path("shown.png")
    _ = try Transcode(options(output, shown, times: 1)).run(upscale: nearest(1))
    let found = try level(of: shown)
    #expect((29...35).contains(found), "\(found)")
  }

  // Where nothing says that all codes are used, players take the pictures for limited range.
  @Test(arguments: [
    ("libx264", "mp4"), ("libx264", "flv"), ("libx265", "mkv"), ("libsvtav1", "mp4"),
    ("libaom-av1", "mkv"), ("libvpx-vp9", "webm"), ("libvpx-vp9", "avi"), ("libvpx", "webm"),
    ("ffv1", "mkv"), ("ffv1", "avi"), ("ffv1", "nut"), ("prores_ks", "mov"), ("prores_ks", "mkv"),
    ("mjpeg", "avi"), ("mjpeg", "jpg"), ("mpeg1video", "mpg"), ("mpeg2video", "mpg"),
    ("mpeg2video", "mkv"), ("mpeg4", "avi"), ("mpeg4", "mp4"), ("mpeg4", "mkv"),
    ("rawvideo", "avi"), ("rawvideo", "mov"), ("rawvideo", "mkv"), ("wrapped_avframe", "y4m"),
    ("libwebp", "webp"), ("png", "png"), ("tiff", "tiff"), ("bmp", "bmp"),
  ])
  func keepsTheLevelsOfFullRange(codec: String, container: String) throws {
    let folder = try TemporaryFolder()
    let (input, output) = (folder.path("in.mkv"), folder.path("out.\(container)"))
    let gray = ["-f", "lavfi", "-i", "color=c=0xC8C8C8:size=64x48:rate=25", "-frames:v", "1"]
    let full = ["-c:v", "ffv1", "-vf", "format=gbrp,scale=out_range=full,format=yuv420p"]
    let arguments = ["-v", "error"] + gray + full + ["-color_range", "pc", input]
    try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    #expect(try level(of: input) == 200)
    var options = options(input, output)
    options.output.encoder.codec = codec
    _ = try Transcode(options).run(upscale: nearest(2))
    let found = try level(of: output)
    #expect((198...202).contains(found), "\(found)")
  }

  @Test(arguments: [("mpeg4", "flv"), ("libtheora", "mkv")])
  func refusesWhatCouldNotBeReadAgain(codec: String, container: String) throws {
    let folder = try TemporaryFolder()
    var options = options(try madeClip(folder), folder.path("out.\(container)"))
    options.output.encoder.codec = codec
    let error = #expect(throws: MediaError.self) { try Transcode(options) }
    #expect(error?.kind == .usage)
  }

  @Test(arguments: ["proxy", "hq", "4444"])
  func writesProResIntoMXF(profile: String) throws {
    let folder = try TemporaryFolder()
    var options = options(try madeClip(folder), folder.path("out.mxf"))
    options.output.encoder.codec = "prores_ks"
    options.output.encoder.preset = profile
    #expect(try Transcode(options).run(upscale: nearest(2)).progress.frames == 50)
  }

  @Test(arguments: ["avi", "mkv", "mp4"])
  func keepsTheSpeedOfHighRates(container: String) throws {
    let folder = try TemporaryFolder()
    let fast = ["-an", "-vf", "settb=1/480,setpts=N", "-r", "480"]
    let input = try madeClip(folder, "in.mp4", extra: fast)
    let output = folder.path("out.\(container)")
    var options = options(input, output)
    // AVI does not say when pictures are shown, only in which order they are stored.
    if container == "avi" { options.output.encoder.codec = "mpeg4" }
    _ = try Transcode(options).run(upscale: nearest(2))
    let times = try frameTimes(output)
    let steps = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(steps.count > 40 && steps.allSatisfy { abs($0 - 1 / 480) < 0.0011 })
  }

  /// Two recordings one after the other, each with a clock of its own: as cameras and recorders leave them.
  @Test(arguments: ["ts", "mpg"], [0.0, 3600])
  func joinsTheClocksOfRecordings(container: String, second: Double) throws {
    let folder = try TemporaryFolder()
    let codecs = ["-c:v", "mpeg2video", "-c:a", "mp2", "-output_ts_offset"]
    let input = folder.path("both.\(container)")
    var bytes = Data()
    for (name, offset) in [("a", 1800.0), ("b", second)] {
      let part = try madeClip(folder, "\(name).\(container)", extra: codecs + ["\(offset)"])
      bytes += try Data(contentsOf: URL(filePath: part))
    }
    try bytes.write(to: URL(filePath: input))
    let report = try Transcode(options(input, folder.path("out.mkv"))).run(upscale: nearest(2))
    #expect(report.progress.frames == 100)
    let times = try frameTimes(folder.path("out.mkv"))
    let steps = zip(times, times.dropFirst()).map { $1 - $0 }
    // At the joint sound and pictures end a little apart.
    #expect(steps.allSatisfy { $0 > 0.03 && $0 < 0.3 })
    #expect(steps.filter { abs($0 - 0.04) > 0.002 }.count <= 1)
    let sound = try #require(try copiedPackets(folder.path("out.mkv"), picture: 0)[1])
    #expect(abs(try #require(sound.last).seconds - times[99]) < 0.3)
  }

  /// Its subtitles or second sound begin after a minute without.
  @Test func tellsOfStreamsThatBeginLate() throws {
    let folder = try TemporaryFolder()
    let silent = ["-an", "-c:v", "mpeg1video", "-b:v", "300k", "-vf", "loop=-1:50", "-t", "70"]
    let quiet = try madeClip(folder, "quiet.mpg", extra: silent)
    let loud = try madeClip(folder, "loud.mpg", extra: ["-c:v", "mpeg1video", "-c:a", "mp2"])
    let parts = try [quiet, loud, quiet].map { try Data(contentsOf: URL(filePath: $0)) }
    let input = folder.path("in.mpg")
    try parts.reduce(Data(), +).write(to: URL(filePath: input))
    let report = try Transcode(options(input, folder.path("out.mkv"))).run(upscale: nearest(2))
    #expect(report.lateStreams == 1)
    #expect(report.notices.contains { $0.text.contains("begin late in the input: 1") })
  }

  // What ffmpeg shows of the middle of the first picture.
  private func level(of path: String) throws -> Int {
    let arguments = ["-v", "error", "-i", path, "-frames:v", "1", "-pix_fmt", "rgb24"]
    let pixels = try Subprocess("ffmpeg", arguments + ["-f", "rawvideo", "-"]).output
    return Int(try #require(pixels.dropFirst(pixels.count / 2).first))
  }

  // FLV numbers its streams by their first packets.
  @Test func findsAStreamThatGotAnotherNumber() throws {
    let folder = try TemporaryFolder()
    let plain = try madeClip(folder)
    let input = folder.path("sound-first.mkv")
    let arguments = ["-v", "error", "-i", plain, "-map", "0:a", "-map", "0:v", "-c:v", "copy"]
    try #require(
      try Subprocess("ffmpeg", arguments + ["-c:a", "libmp3lame", input]).exitCode == 0
    )
    let report = try Transcode(options(input, folder.path("out.flv"))).run(upscale: nearest(2))
    #expect(report.progress.frames == 50)
  }

  // Matroska does not say how long these packets last.
  @Test(arguments: ["alac", "libspeex"], ["mov", "mkv"])
  func keepsTheLastPacketOfSound(codec: String, container: String) throws {
    let folder = try TemporaryFolder()
    let sound = ["-c:a", codec, "-ar", "16000", "-ac", "1"]
    let input = try madeClip(folder, extra: sound)
    let output = folder.path("out.\(container)")
    _ = try Transcode(options(input, output)).run(upscale: nearest(2))
    let before = try copiedPackets(input, picture: 0)[1]?.map(\.bytes)
    #expect(try copiedPackets(output, picture: 0)[1]?.map(\.bytes) == before)
    #expect(try #require(before).count > 1)
  }
}

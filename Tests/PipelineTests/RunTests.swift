import Dispatch
import Engine
import FFmpegC
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// What a run does besides the usual case: parts, pipes, pictures, ends before the end.
@Suite struct RunTests {
  /// A clip of 50 frames at 25 per second with sound, made by ffmpeg.
  static func clip(_ folder: TemporaryFolder, _ name: String = "in.mkv", extra: [String] = [])
    throws -> String
  {
    let path = folder.path(name)
    let made = try Subprocess(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2",
        "-f", "lavfi", "-i", "sine=frequency=440:duration=2", "-c:v", "libx264", "-preset",
        "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac",
      ] + extra + [path]
    )
    try #require(made.exitCode == 0)
    return path
  }

  @Test(arguments: [0..<1, 0..<10, 7..<20, 40..<100])
  func keepsExactlyTheChosenFrames(frames: Range<Int>) throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
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
    let input = try RunTests.clip(folder)
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

  @Test(arguments: [
    Part(end: .seconds(1), frames: 0..<1000), Part(start: .seconds(1), frames: 10..<50),
  ])
  func keepsWhatLiesInTheFramesAndTheTimes(part: Part) throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
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

  // Some files begin late, such as recordings of television.
  @Test func countsTimesFromTheFirstPicture() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder, "in.ts", extra: ["-output_ts_offset", "1000"])
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

  @Test func endsAndLeavesNothingWhenCancelled() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    let transcode = try Transcode(options(input, folder.path("out.mkv")))
    // An engine that finishes nothing before the end of the run.
    let given = Mutex<[PendingImage]>([])
    DispatchQueue(label: "cancel").asyncAfter(deadline: .now() + 0.2) {
      transcode.cancel(signal: 2)
    }
    let clock = ContinuousClock()
    let start = clock.now
    #expect {
      try transcode.run { _ throws(EngineError) in
        let picture = PendingImage()
        given.withLock { $0.append(picture) }
        return picture
      }
    } throws: {
      ($0 as? MediaError)?.kind == .cancelled(signal: 2)
    }
    #expect(clock.now - start < .seconds(2))
    #expect(folder.names == ["in.mkv"])
    let late = EngineError.backend(operation: "test", reason: "late")
    for picture in given.withLock({ $0 }) { picture.complete(.failure(late)) }
  }

  // As a recording whose engine is slow when somebody interrupts it.
  @Test func completesTheFileWithWhatIsReadyWhenHastened() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    var options = options(input, folder.path("out.mkv"))
    options.repeatTolerance = nil
    let transcode = try Transcode(options)
    let given = Mutex(0)
    let first = PendingImage()
    DispatchQueue(label: "hasten").async {
      // The encoder waits for the first, the second waits in the queue of one, the third before it.
      while given.withLock({ $0 }) < 3 { usleep(10_000) }
      transcode.hasten(signal: 2)
      first.complete(.success(Image(width: 128, height: 96)))
    }
    let report = try transcode.run(framesInFlight: 3) { image throws(EngineError) in
      given.withLock { $0 += 1 }
      return given.withLock { $0 } == 1 ? first : try nearest(2)(image)
    }
    #expect(report.progress.frames == 1)
    #expect(try frameTimes(folder.path("out.mkv")).count == 1)
  }

  @Test func passesOnTheErrorOfTheEngineAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    let transcode = try Transcode(options(input, folder.path("out.mkv")))
    let failure = EngineError.backend(operation: "convolution", reason: "test")
    #expect {
      try transcode.run { _ throws(EngineError) in throw failure }
    } throws: {
      ($0 as? MediaError)?.kind == .engine(failure)
    }
    #expect(folder.names == ["in.mkv"])
  }

  @Test func endsAReadThatWaitsForAPipe() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    // Keeps the pipe open and never writes.
    let writer = open(pipe, O_RDWR)
    defer { close(writer) }
    let cancellation = Cancellation()
    DispatchQueue(label: "cancel").asyncAfter(deadline: .now() + 0.2) {
      cancellation.request(signal: 15)
    }
    #expect {
      _ = try Transcode(options(pipe, folder.path("out.mkv")), cancellation: cancellation)
    } throws: {
      ($0 as? MediaError)?.kind == .cancelled(signal: 15)
    }
  }

  @Test func writesAPictureForAPicture() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    for name in ["one.png", "one.jpg", "one.webp", "one.bmp", "one.tiff"] {
      var options = options(input, folder.path(name))
      options.part.frames = 3..<4
      _ = try Transcode(options).run(upscale: nearest(2))
      let info = try MediaInfo(reading: InputOptions(MediaPath(folder.path(name))))
      #expect(info.streams.first?.picture?.width == 128, "\(name)")
      #expect(info.streams.first?.picture?.height == 96, "\(name)")
    }
  }

  @Test(arguments: ["yes.tga", "no.tga"])
  func knowsTargaByItsNameAndItsContent(name: String) throws {
    let folder = try TemporaryFolder()
    let codec = name == "yes.tga" ? "targa" : "png"
    let made = try Subprocess(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=96x64", "-frames:v", "1", "-f", "image2",
        "-c:v", codec, folder.path(name),
      ]
    )
    try #require(made.exitCode == 0)
    let transcode = try Transcode(options(folder.path(name), folder.path("out.png")))
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 1)
    #expect(transcode.plan.width == 192 && transcode.plan.height == 128)
  }

  @Test func readsAndWritesSequencesOfPictures() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    var toPictures = options(input, folder.path("p%03d.png"), times: 1)
    toPictures.part.frames = 0..<5
    _ = try Transcode(toPictures).run(upscale: nearest(1))
    #expect(folder.names == ["in.mkv"] + (1...5).map { "p00\($0).png" })

    var toVideo = options(folder.path("p%03d.png"), folder.path("out.mkv"))
    toVideo.input.frameRate = Rational(10, 1)
    toVideo.output.encoder.codec = "ffv1"
    let report = try Transcode(toVideo).run(upscale: nearest(2))
    #expect(report.progress.frames == 5)
    #expect(try frameTimes(folder.path("out.mkv")) == [0, 0.1, 0.2, 0.3, 0.4])
  }

  @Test(arguments: [90, 180, 270])
  func turnsPicturesUpright(angle: Int) throws {
    let folder = try TemporaryFolder()
    let plain = try RunTests.clip(folder, "plain.mp4")
    let turned = folder.path("turned.mp4")
    try turn(plain, by: angle, into: turned)
    let info = try MediaInfo(reading: InputOptions(MediaPath(turned)))
    #expect(info.streams.first?.picture?.quarterTurns ?? 0 > 0)
    try expectUpright(turned, folder)
  }

  // EXIF data of a photo, and a message of H.264 in a file without a matrix of its own.
  @Test(arguments: ["in.jpg", "in.mkv"])
  func turnsPicturesUprightThatSayItThemselves(name: String) throws {
    let folder = try TemporaryFolder()
    let turned = folder.path("turned-" + name)
    if name.hasSuffix("jpg") {
      let plain = try RunTests.clip(folder, name, extra: RunTests.photo)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: plain))
      bytes.insert(contentsOf: RunTests.quarterTurnInEXIF, at: 2)
      try bytes.write(to: URL(fileURLWithPath: turned))
    } else {
      let plain = try RunTests.clip(folder, name)
      let message = "h264_metadata=display_orientation=insert:rotate=90"
      let arguments = ["-v", "error", "-i", plain, "-c", "copy", "-bsf:v", message, turned]
      try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    }
    let transcode = try Transcode(options(turned, folder.path("out.y4m")))
    #expect((transcode.plan.width, transcode.plan.height) == (96, 128))
    try expectUpright(turned, folder)
  }

  @Test func saysThatPicturesAreTurnedByQuartersOnly() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder, "in.mp4")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    // The matrix lies 40 bytes behind the name of the first track's header; 46341/65536 is √½.
    let header = try #require(bytes.range(of: Data("tkhd".utf8)))
    for (number, value) in [46_341, 46_341, 0, -46_341, 46_341].enumerated() {
      let place = header.upperBound + 40 + number * 4
      withUnsafeBytes(of: Int32(value).bigEndian) {
        bytes.replaceSubrange(place..<(place + 4), with: $0)
      }
    }
    try bytes.write(to: URL(fileURLWithPath: input))
    let plan = try Transcode(options(input, folder.path("out.mkv"))).plan
    #expect((plan.width, plan.height) == (128, 96))
    let warnings = plan.notices.filter { $0.level == .warning }
    #expect(warnings.count == 1 && warnings[0].text.contains("no quarter turn"))
  }

  private static let photo = ["-an", "-frames:v", "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]

  // One entry, tag 0x112 with the number 6: a quarter turn clockwise.
  private static let quarterTurnInEXIF: [UInt8] =
    [0xFF, 0xE1, 0, 34] + Array("Exif\0\0MM\0*".utf8)
    + [0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]

  @Test func anUnknownPixelShapeStaysUnknown() throws {
    let folder = try TemporaryFolder()
    let plain = try RunTests.clip(folder, "plain.mp4", extra: ["-vf", "setsar=0"])
    let turned = folder.path("turned.mp4")
    try turn(plain, by: 90, into: turned)
    _ = try Transcode(options(turned, folder.path("out.y4m"))).run(upscale: nearest(2))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path("out.y4m")))
    #expect(String(decoding: bytes.prefix(40), as: UTF8.self).contains(" W96 H128 F25:1 Ip A0:0 "))
  }

  @Test(.enabled(if: SharedFolder.media.isExpected))
  func turnsMirroredPicturesUpright() throws {
    let input = try SharedFolder.media.path("mp4_sample_rotate_and_reflect.mp4")
    try expectUpright(input, try TemporaryFolder())
  }

  private func turn(_ input: String, by angle: Int, into output: String) throws {
    let made = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-display_rotation", "\(angle)", "-i", input, "-c", "copy", output]
    )
    guard made.exitCode != 0 else { return }
    // FFmpeg 5.1 sets the rotation by a tag instead.
    let tagged = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-i", input, "-c", "copy", "-metadata:s:v", "rotate=\(angle)", output]
    )
    try #require(tagged.exitCode == 0)
  }

  // ffmpeg turns pictures itself when it decodes, and mirrors them where they have to be.
  private func expectUpright(_ input: String, _ folder: TemporaryFolder) throws {
    var options = options(input, folder.path("out.mkv"), times: 1)
    options.output.encoder.codec = "ffv1"
    options.part.frames = 0..<1
    _ = try Transcode(options).run(upscale: nearest(1))
    func pixels(_ path: String) throws -> Data {
      let arguments = ["-v", "error", "-i", path, "-frames:v", "1", "-pix_fmt", "gray"]
      return try Subprocess("ffmpeg", arguments + ["-f", "rawvideo", "-"]).output
    }
    let (mine, theirs) = (try pixels(folder.path("out.mkv")), try pixels(input))
    #expect(mine.count == theirs.count)
    let worst = zip(mine, theirs).map { abs(Int($0) - Int($1)) }.max() ?? 255
    #expect(worst <= 1)
  }

  @Test func keepsDepthAndTagsOfHighDepthSources() throws {
    let folder = try TemporaryFolder()
    let input = folder.path("in.mkv")
    let made = try Subprocess(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:duration=0.2", "-pix_fmt",
        "yuv420p10le", "-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace",
        "bt2020nc", "-c:v", "ffv1", input,
      ]
    )
    try #require(made.exitCode == 0)
    for codec in ["libx264", "libx265", "ffv1"] {
      var options = options(input, folder.path("\(codec).mkv"))
      options.output.encoder.codec = codec
      _ = try Transcode(options).run(upscale: nearest(2))
      let info = try MediaInfo(reading: InputOptions(MediaPath(folder.path("\(codec).mkv"))))
      let picture = try #require(info.streams.first?.picture)
      #expect(picture.pixelFormat == "yuv420p10le")
      #expect(picture.matrix == "bt2020nc")
      #expect(picture.primaries == "bt2020")
      #expect(picture.transfer == "smpte2084")
    }
  }

  @Test(arguments: ["yuva420p", "yuva444p10le", "gbrap10le", "bgra"])
  func picturesWithAlphaAreOpaque(format: String) throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder)
    var options = options(input, folder.path("out.mkv"), times: 1)
    options.part.frames = 0..<2
    options.output.encoder.codec = "ffv1"
    options.output.encoder.pixelFormat = format
    _ = try Transcode(options).run(upscale: nearest(1))
    let alpha = ["-v", "error", "-i", folder.path("out.mkv"), "-vf", "alphaextract,format=gray"]
    let run = try Subprocess("ffmpeg", alpha + ["-f", "rawvideo", "-"])
    #expect(run.exitCode == 0 && run.output.count >= 2 * 64 * 48)
    #expect(run.output.allSatisfy { $0 == 255 })
  }

  @Test func upscalesARepeatedPictureOnce() throws {
    let folder = try TemporaryFolder()
    // Every picture five times.
    let input = try RunTests.clip(folder, extra: ["-vf", "fps=5,fps=25", "-qp", "0"])
    let calls = Monitor(0)
    let counted: Transcode.Upscale = { image throws(EngineError) in
      calls.withLock { $0 += 1 }
      return try nearest(2)(image)
    }
    var options = options(input, folder.path("out.mkv"))
    options.output.encoder.codec = "ffv1"
    let report = try Transcode(options).run(upscale: counted)
    #expect(report.progress.frames == 50 && report.repeatedCount == 40)
    #expect(calls.withLock { $0 } == 10)
    options.output.path = MediaPath(folder.path("all.mkv"))
    options.repeatTolerance = nil
    #expect(try Transcode(options).run(upscale: counted).repeatedCount == 0)
    #expect(calls.withLock { $0 } == 60)
    #expect(try hash(folder.path("out.mkv")) == hash(folder.path("all.mkv")))
    #expect(try frameTimes(folder.path("out.mkv")) == frameTimes(input))
  }

  private func hash(_ path: String) throws -> String {
    let run = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-i", path, "-map", "0:v", "-f", "md5", "-"]
    )
    try #require(run.exitCode == 0)
    return run.text
  }

  @Test func nullFormatWritesNothing() throws {
    let folder = try TemporaryFolder()
    var options = options(try RunTests.clip(folder), "-")
    options.output.format = "null"
    let report = try Transcode(options).run(upscale: nearest(2))
    #expect(report.progress.frames == 50)
    #expect(folder.names == ["in.mkv"])
  }

  @Test(.enabled(if: SharedFolder.media.isExpected))
  func keepsTheLightThatAPictureWasMasteredFor() throws {
    let folder = try TemporaryFolder()
    let input = try SharedFolder.media.path("mp4_sample_with_colr_mdcv_and_clli.mp4")
    var options = options(input, folder.path("out.mkv"), times: 1)
    options.part.frames = 0..<2
    options.output.encoder.preset = "ultrafast"
    _ = try Transcode(options).run(upscale: nearest(1))
    let before = try MediaInfo(reading: InputOptions(MediaPath(input)))
    let after = try MediaInfo(reading: InputOptions(MediaPath(folder.path("out.mkv"))))
    let picture = try #require(before.pictureStream)
    #expect(before.streams[picture].sideData.contains("Mastering display metadata"))
    #expect(after.streams[picture].sideData.contains("Mastering display metadata"))
    #expect(after.streams[picture].sideData.contains("Content light level metadata"))
  }

  @Test func refusesAnEncoderThatThePictureFileDoesNotHave() throws {
    let folder = try TemporaryFolder()
    var options = options(try RunTests.clip(folder), folder.path("out.png"))
    options.output.encoder.codec = "libx264"
    #expect {
      _ = try Transcode(options)
    } throws: {
      "\($0)" == "cannot use codec 'libx264': a .png file is encoded with png"
    }
  }

  @Test func refusesOptionsThatTheInputDoesNotHave() throws {
    let folder = try TemporaryFolder()
    var options = options(try RunTests.clip(folder), folder.path("out.mkv"))
    options.input.frameRate = Rational(10, 1)
    #expect {
      _ = try Transcode(options)
    } throws: {
      ($0 as? MediaError)?.kind == .usage
    }
  }

  @Test(arguments: ["libx264", "libsvtav1"])
  func refusesAPartWithoutFrames(codec: String) throws {
    let folder = try TemporaryFolder()
    var options = options(try RunTests.clip(folder), folder.path("out.mkv"))
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

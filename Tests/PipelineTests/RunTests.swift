import Dispatch
import Engine
import TestSupport
import Testing

@testable import Pipeline

/// What a run does besides the usual case.
@Suite struct RunTests {
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
    let input = try madeClip(folder)
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
    let input = try madeClip(folder, extra: ["-vf", "fps=5,fps=25", "-qp", "0"])
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
    var options = options(try madeClip(folder), "-")
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

  @Test func refusesOptionsThatTheInputDoesNotHave() throws {
    let folder = try TemporaryFolder()
    var options = options(try madeClip(folder), folder.path("out.mkv"))
    options.input.frameRate = Rational(10, 1)
    #expect {
      _ = try Transcode(options)
    } throws: {
      ($0 as? MediaError)?.kind == .usage
    }
  }

  // Twenty frames of one picture, then twenty of another; the first is ready once the second has come.
  @Test func repeatsDoNotKeepTheEngineFromTheNextPicture() throws {
    let folder = try TemporaryFolder()
    let sources = ["red", "blue"].flatMap {
      ["-f", "lavfi", "-i", "color=\($0):size=64x48:rate=25:duration=0.8"]
    }
    let made = try Subprocess(
      "ffmpeg",
      ["-v", "error"] + sources
        + ["-filter_complex", "concat=n=2", "-c:v", "ffv1", folder.path("in.mkv")]
    )
    try #require(made.exitCode == 0)
    let (calls, isLate, second) = (Monitor(0), Monitor(false), DispatchSemaphore(value: 0))
    let transcode = try Transcode(options(folder.path("in.mkv"), folder.path("out.mkv")))
    let report = try transcode.run(framesInFlight: 3) { image throws(EngineError) in
      let large = try nearest(2)(image)
      guard
        calls.withLock({
          $0 += 1; return $0
        }) == 1
      else {
        second.signal()
        return large
      }
      let (held, picture) = (PendingImage(), try large.wait())
      DispatchQueue.global().async {
        let waited = second.wait(timeout: .now() + 20)
        isLate.withLock { $0 = waited == .timedOut }
        held.complete(.success(picture))
      }
      return held
    }
    #expect(!isLate.withLock { $0 } && calls.withLock { $0 } == 2)
    #expect(report.progress.frames == 40 && report.repeatedCount == 38)
  }
}

import FFmpegC
import Foundation
import TestSupport
import Testing

@testable import Pipeline

@Suite struct VerificationTests {
  @Test(arguments: ["mp4", "mov", "mkv", "ts", "flv", "avi", "nut"])
  func acceptsWhatWasWritten(container: String) throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    let output = folder.path("out." + container)
    let report = try Transcode(options(input, output)).run(upscale: nearest(1))
    #expect(report.progress.frames == 50)
  }

  // Matroska stores the cover of a movie file as an attached one.
  @Test(arguments: ["mp4", "mkv"]) func acceptsCovers(container: String) throws {
    let folder = try TemporaryFolder()
    let (clip, cover) = (try madeClip(folder), folder.path("cover.png"))
    let input = folder.path("covered.mp4")
    for arguments in [
      ["-f", "lavfi", "-i", "testsrc2=size=32x32", "-frames:v", "1", cover],
      ["-i", clip, "-i", cover, "-map", "0", "-map", "1", "-c", "copy"]
        + ["-disposition:v:1", "attached_pic", input],
    ] {
      try #require(try Subprocess("ffmpeg", ["-v", "error"] + arguments).exitCode == 0)
    }
    let output = folder.path("out." + container)
    let report = try Transcode(options(input, output)).run(upscale: nearest(1))
    #expect(report.progress.frames == 50)
    let streams = try Subprocess(
      "ffprobe",
      ["-v", "error", "-show_entries", "stream=codec_name:stream_disposition=attached_pic"]
        + ["-of", "csv=p=0", output]
    )
    #expect(String(decoding: streams.output, as: UTF8.self).hasSuffix("png,1\n"))
    // What an attached file is called is no tag of the film.
    let again = try Transcode(options(output, folder.path("again.mp4"))).run(upscale: nearest(1))
    #expect(again.lostTags.isEmpty)
  }

  /// FFmpeg's muxer of movie files joins its small frames.
  @Test(arguments: [("mp4", AV_CODEC_ID_EAC3, false), ("mkv", AV_CODEC_ID_EAC3, true)])
  func countsFramesOfSoundWhereTheyStayAsTheyAre(
    container: String,
    codec: AVCodecID,
    isCounted: Bool
  ) throws {
    var parameters = AVCodecParameters()
    (parameters.codec_type, parameters.codec_id) = (AVMEDIA_TYPE_AUDIO, codec)
    let format = try OutputFormat(named: nil, for: MediaPath("out.\(container)"))
    #expect((format.expectation(StreamTally(), of: &parameters) != nil) == isCounted)
  }

  @Test func namesTheDifference() throws {
    let folder = try TemporaryFolder()
    let path = MediaPath(try madeClip(folder))
    var tally = StreamTally()
    for frame in 0..<51 { tally.add(Int64(frame * 40)) }
    #expect(
      try failure(path, tally)?.hasSuffix("video stream 0 has 50 packets instead of 51") == true
    )
  }

  @Test func noticesOtherTimes() throws {
    let folder = try TemporaryFolder()
    let path = MediaPath(try madeClip(folder))
    var demuxer = try Demuxer(InputOptions(path), cancellation: Cancellation())
    var (right, wrong) = (StreamTally(), StreamTally())
    while let packet = try demuxer.read() {
      guard packet.streamIndex == 0, let ticks = packet.presentationTicks else { continue }
      right.add(ticks + 7)
      wrong.add(right.count == 10 ? ticks + 1 : ticks)
    }
    #expect(try failure(path, right) == nil)
    #expect(try failure(path, wrong)?.contains("other times") == true)
  }

  @Test func acceptsPacketsWithoutATime() throws {
    let folder = try TemporaryFolder()
    let path = MediaPath(try madeClip(folder))
    var tally = StreamTally()
    for frame in 0..<50 { tally.add(frame == 20 ? nil : Int64(frame * 40)) }
    #expect(try failure(path, tally) == nil)
  }

  private func failure(_ path: MediaPath, _ tally: StreamTally) throws -> String? {
    let expectation = Verification.Expectation(tally: tally, hasExactTimes: true)
    let demuxer = try Demuxer(InputOptions(path), cancellation: Cancellation())
    let streams = [StreamPlace(0, in: demuxer.native, coversLieApart: false): expectation]
    do {
      _ = try Verification(streams: streams, coversLieApart: false).run(
        path,
        name: path,
        Cancellation()
      )
      return nil
    } catch {
      #expect(error.kind == .bug)
      return "\(error)"
    }
  }
}

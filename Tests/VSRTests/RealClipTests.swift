import Foundation
import TestSupport
import Testing

/// Real clips through the real program with the bundled model: nothing but the picture changes.
@Suite struct RealClipTests {
  /// A clip, its output's container and size, the stream that is upscaled, and how many frames a quick
  /// run takes (nil: all).
  struct Clip: CustomTestStringConvertible, Sendable {
    let name: String
    let size: String
    var picture = 0
    var frames: Int?
    var testDescription: String { name }
    var output: String { "out.\(name.split(separator: ".").last ?? "mkv")" }
  }

  static let clips = [
    Clip(name: "nasa_13013.mp4", size: "1920,1080", picture: 3, frames: 6),
    Clip(name: "bigbuckbunny.mp4", size: "5120,2880", frames: 3),
    Clip(name: "chaplin.mp4", size: "2560,1440", frames: 4),
    Clip(name: "mkv_sample_with_ass_subtitles.mkv", size: "4320,2880"),
    Clip(name: "mkv_sample_with_chapters.mkv", size: "1280,960"),
    Clip(name: "vp9_bear-vp9-odd-dimensions.webm", size: "644,484"),
    Clip(name: "mp4_sample_sef_slow_motion.mp4", size: "1280,960", picture: 1),
    Clip(name: "avi_sample.avi", size: "3840,1600", frames: 2),
    Clip(name: "flv_sample.flv", size: "4320,2880", frames: 3),
    Clip(name: "ts_bbb_2500ms.ts", size: "7680,4320", frames: 2),
  ]

  /// Whether every clip runs to its end, which takes a quarter of an hour.
  static let runsWholeClips = ProcessInfo.processInfo.environment["VSR_WHOLE_CLIPS"] != nil

  @Test(.enabled(if: SharedFolder.media.isExpected), .serialized, arguments: clips)
  func onlyThePictureChanges(clip: Clip) throws {
    let folder = try TemporaryFolder()
    let input = try SharedFolder.media.path(clip.name)
    let frames = RealClipTests.runsWholeClips ? nil : clip.frames
    let preset = clip.output.hasSuffix("webm") ? "8" : "ultrafast"
    let part = frames.map { ["--frames", "0:\($0)"] } ?? []
    let arguments = [input, clip.output, "--encoder-preset", preset, "--progress", "none"]
    let run = try Program(arguments + part, in: folder)
    try #require(run.exitCode == 0, "\(run.errors)")

    let output = folder.path(clip.output)
    #expect(try size(output, clip.picture) == clip.size)
    let before = try frameTimes(input, clip.picture, frames)
    let after = try frameTimes(output, clip.picture)
    try #require(!before.isEmpty)
    #expect(after.count == frames ?? before.count)
    // Half a millisecond: what Matroska and FLV can store.
    #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 0.0005 })
    guard frames == nil else { return }
    #expect(
      try copiedPackets(output, except: clip.picture)
        == copiedPackets(input, except: clip.picture)
    )
  }

  private func size(_ path: String, _ stream: Int) throws -> String {
    let streams = try probe("streams", path, ["-select_streams", "\(stream)"])
    let sides = ["width", "height"].compactMap { streams.first?[$0] as? Int }
    return sides.map(String.init).joined(separator: ",")
  }

  /// When the frames of a stream are shown, in seconds; the first `limit` of them.
  private func frameTimes(_ path: String, _ stream: Int, _ limit: Int? = nil) throws -> [Double] {
    let times = try probe("frames", path, ["-select_streams", "\(stream)"])
      .compactMap { $0["best_effort_timestamp_time"] as? String }.compactMap(Double.init)
    return Array(times.prefix(limit ?? times.count))
  }

  /// The hashes of the packets of all other streams, by stream and in order.
  private func copiedPackets(_ path: String, except picture: Int) throws -> [Int: [String]] {
    let packets = try probe("packets", path, ["-show_data_hash", "md5"])
    let byStream = Dictionary(grouping: packets) { $0["stream_index"] as? Int ?? -1 }
    return byStream.filter { $0.key != picture }
      .mapValues { packets in packets.compactMap { $0["data_hash"] as? String } }
  }

  /// What ffprobe says about `streams`, `frames` or `packets`.
  private func probe(
    _ section: String,
    _ path: String,
    _ arguments: [String],
  ) throws -> [[String: Any]] {
    let run = try Subprocess(
      "ffprobe",
      ["-v", "error", "-of", "json", "-show_\(section)"] + arguments + [path]
    )
    let report = try JSONSerialization.jsonObject(with: run.output) as? [String: Any]
    return try #require(report?[section] as? [[String: Any]])
  }
}

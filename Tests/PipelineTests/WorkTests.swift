import Engine
import FFmpegC
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// Runs that keep their work: of 50 frames, in segments of 20.
@Suite struct WorkTests {
  /// Encoders and containers; AV1, VP9 and others count times and order packets in other ways.
  static let outputs = [
    ("libx264", "mp4"), ("libx264", "ts"), ("libx265", "mkv"), ("libsvtav1", "mkv"),
    ("libaom-av1", "mp4"), ("libvpx-vp9", "webm"), ("ffv1", "mkv"), ("prores_ks", "mov"),
    ("mjpeg", "avi"), ("mpeg2video", "ts"), ("mpeg4", "mp4"),
  ]

  @Test(arguments: outputs)
  func goesOnWithTheSamePackets(codec: String, container: String) throws {
    let folder = try TemporaryFolder()
    var options = try keeping(folder, "whole." + container, codec)
    _ = try Transcode(options).run(upscale: nearest(2))
    let whole = try packets(folder.path("whole." + container))

    options.output.path = MediaPath(folder.path("out." + container))
    try interrupt(options, whenStored: 40)
    let transcode = try Transcode(options)
    #expect(transcode.plan.storedFrames == 40)
    let report = try transcode.run(upscale: nearest(2))
    #expect(report.progress.frames == 50 && report.progress.storedFrames == 40)
    #expect(try packets(folder.path("out." + container)) == whole)
    #expect(whole[0]?.count == 50 && whole[0]?.count { $0.isKeyFrame } ?? 0 >= 3)
    #expect(folder.names == ["in.mkv", "out." + container, "whole." + container])
  }

  // The transparency of VP9 lies beside its packets.
  @Test func goesOnWithTheSameTransparency() throws {
    let folder = try TemporaryFolder()
    let filter = "color=size=64x48:rate=25,format=yuva420p,geq=lum=mod(4*X+9*N\\,256):a=4*X"
    let made = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-f", "lavfi", "-i", filter, "-frames:v", "50", "-c:v", "ffv1"]
        + [folder.path("in.mkv")]
    )
    try #require(made.exitCode == 0)
    var options = try keeping(folder, "whole.webm", "libvpx-vp9")
    _ = try Transcode(options).run(upscale: nearest(2))
    options.output.path = MediaPath(folder.path("out.webm"))
    try interrupt(options, whenStored: 40)
    let transcode = try Transcode(options)
    #expect(!transcode.plan.notices.contains { $0.text.contains("transparency") })
    #expect(try transcode.run(upscale: nearest(2)).progress.storedFrames == 40)

    let packets = try packets(folder.path("out.webm"))
    #expect(try packets == self.packets(folder.path("whole.webm")))
    #expect(packets[0]?.count { !$0.addition.isEmpty } == 50)
  }

  @Test(arguments: ["cut off", "changed", "missing"])
  func makesADamagedSegmentAgain(damage: String) throws {
    let folder = try TemporaryFolder()
    let options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 40)
    let segment = folder.path(".out.mkv.vsr-work/segment-000001")
    var bytes = try #require(FileManager.default.contents(atPath: segment))
    switch damage {
    case "cut off": bytes.removeLast(7)
    case "changed": bytes[bytes.count / 2] ^= 1
    default: try FileManager.default.removeItem(atPath: segment)
    }
    if damage != "missing" { try bytes.write(to: URL(fileURLWithPath: segment)) }
    let transcode = try Transcode(options)
    #expect(transcode.plan.storedFrames == 20)
    #expect(transcode.plan.notices.contains { $0.text.hasPrefix("20 frames of earlier work") })
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 50)
    #expect(folder.names == ["in.mkv", "out.mkv"])
  }

  @Test func refusesTheWorkOfOtherOptions() throws {
    let folder = try TemporaryFolder()
    var options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 20)
    options.output.encoder.crf = 30
    let error = try #require(failure(options))
    #expect(error.kind == .usage && error.reason.contains("crf=30"), "\(error)")
    #expect(folder.names.contains(".out.mkv.vsr-work"))
  }

  @Test func refusesTheWorkOfAnotherEngine() throws {
    let folder = try TemporaryFolder()
    let options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 20)
    var needs = EngineNeeds()
    needs.facts = [WorkOptions.Fact("model", "other")]
    let error = #expect(throws: MediaError.self) {
      try Transcode(options) { _, _ throws(EngineError) in needs }
    }
    #expect(error?.kind == .usage && error?.step == .resume, "\(String(describing: error))")
    #expect(folder.names.contains(".out.mkv.vsr-work"))
  }

  @Test func refusesTheWorkOfAnotherInput() throws {
    let folder = try TemporaryFolder()
    let options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 20)
    let input = try #require(FileHandle(forWritingAtPath: folder.path("in.mkv")))
    try input.seekToEnd()
    try input.write(contentsOf: Data([0]))
    #expect(failure(options)?.kind == .refused)
  }

  @Test func refusesAStateThatItCannotRead() throws {
    let folder = try TemporaryFolder()
    let options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 20)
    let work = folder.url.appendingPathComponent(".out.mkv.vsr-work")
    try Data("{".utf8).write(to: work.appendingPathComponent("state.json"))
    let error = try #require(failure(options))
    #expect(error.kind == .refused && error.reason.contains("remove the folder"), "\(error)")
    #expect(FileManager.default.fileExists(atPath: work.path + "/segment-000000"))
  }

  @Test func refusesAFolderThatAnotherRunHas() throws {
    let folder = try TemporaryFolder()
    let options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 20)
    let first = try Transcode(options)
    let error = try #require(failure(options))
    #expect(error.kind == .cannotCreate && error.reason == "another run works in it")
    extendLifetime(first)
  }

  @Test func anInterruptBeforeTheFirstSegmentLeavesNothing() throws {
    let folder = try TemporaryFolder()
    try interrupt(keeping(folder, "out.mkv"), whenStored: 0)
    #expect(folder.names == ["in.mkv"])
  }

  @Test func aRunThatKeepsNothingTellsOfWorkThatFits() throws {
    let folder = try TemporaryFolder()
    var options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 20)
    options.work.isKept = false
    func warnings(_ options: TranscodeOptions) throws -> [String] {
      try Transcode(options).plan.notices.filter { $0.level == .warning }.map(\.text)
    }
    #expect(try warnings(options).contains { $0.contains("--resume continues it") })
    options.output.encoder.crf = 30
    #expect(try warnings(options).isEmpty)
  }

  // All segments are there, and the output got no name because another file has it.
  @Test func writesTheOutputAgainWithoutUpscaling() throws {
    let folder = try TemporaryFolder()
    let options = try keeping(folder, "out.mkv")
    let path = folder.path("out.mkv")
    let transcode = try Transcode(options)
    try Data("other".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: MediaError.self) { try transcode.run(upscale: nearest(2)) }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "other")
    try FileManager.default.removeItem(atPath: path)
    let report = try Transcode(options).run { _ throws(EngineError) in
      throw EngineError.backend(operation: "none", reason: "nothing is left to upscale")
    }
    #expect(report.progress.frames == 50 && report.progress.storedFrames == 50)
    #expect(folder.names == ["in.mkv", "out.mkv"])
  }

  // As if killed after the output got its name, before the work was removed.
  @Test func knowsThatItsOutputIsComplete() throws {
    let folder = try TemporaryFolder()
    let options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 40)
    let (output, work) = (folder.path("out.mkv"), MediaPath(folder.path(".out.mkv.vsr-work")))
    try Data("complete".utf8).write(to: URL(fileURLWithPath: output))
    #expect(failure(options)?.kind == .cannotCreate)
    var state = try #require(WorkState(reading: work))
    state.output = WorkState.File(MediaPath(output))
    try state.write(to: work, Cancellation())
    let report = try Transcode(options).run(upscale: nearest(2))
    #expect(report.progress.storedFrames == 40)
    #expect(try String(contentsOfFile: output, encoding: .utf8) == "complete")
    #expect(folder.names == ["in.mkv", "out.mkv"])
  }

  @Test func refusesFramesThatTheWorkWasNotMadeOf() throws {
    let folder = try TemporaryFolder()
    let options = try keeping(folder, "out.mkv")
    try interrupt(options, whenStored: 40)
    let work = MediaPath(folder.path(".out.mkv.vsr-work"))
    // The second segment twice, with the state that belongs to it.
    let names = ["segment-000001", "segment-000000"].map { work.appending($0).text }
    try FileManager.default.removeItem(atPath: names[1])
    try FileManager.default.copyItem(atPath: names[0], toPath: names[1])
    var state = try #require(WorkState(reading: work))
    state.segments[0] = state.segments[1]
    try state.write(to: work, Cancellation())
    let transcode = try Transcode(options)
    #expect { try transcode.run(upscale: nearest(2)) } throws: {
      ($0 as? MediaError)?.kind == .refused
    }
    #expect(!folder.names.contains("out.mkv"))
  }

  @Test func liesElsewhereWhenAsked() throws {
    let (folder, place) = (try TemporaryFolder(), try TemporaryFolder())
    var options = try keeping(folder, "out.mkv")
    options.work.place = MediaPath(place.url.path)
    try interrupt(options, whenStored: 20)
    #expect(folder.names == ["in.mkv"] && place.names.count == 1)
    #expect(try Transcode(options).run(upscale: nearest(2)).progress.storedFrames == 20)
    #expect(folder.names == ["in.mkv", "out.mkv"] && place.names.isEmpty)
  }

  // A still picture is upscaled once for each segment, as it is after a crash before it.
  @Test func repeatsNothingAcrossSegments() throws {
    let folder = try TemporaryFolder()
    var options = try keeping(folder, "out.mkv")
    options.input.path = MediaPath(folder.path("still.mkv"))
    let made = try Subprocess(
      "ffmpeg",
      ["-v", "error", "-f", "lavfi", "-i", "color=red:size=64x48:rate=25", "-frames:v", "50"]
        + ["-c:v", "ffv1", folder.path("still.mkv")]
    )
    try #require(made.exitCode == 0)
    #expect(try Transcode(options).run(upscale: nearest(2)).repeatedCount == 47)
  }

  @Test(arguments: [(0.0, 250), (1e13 / 100, 100), (1e13, 25)])
  func segmentsAreAboutAMinuteOfWork(perPicture: Double, length: Int) {
    #expect(WorkOptions().segmentLength(multiplications: perPicture) == length)
  }

  @Test(arguments: [
    "out.png", "out%03d.png", "-", "/dev/null", "out.y4m", "null", "out.gif", "out.apng",
  ])
  func needsAVideoFile(output: String) throws {
    let folder = try TemporaryFolder()
    let isPlain = output.hasPrefix("out")
    var options = try keeping(folder, "out.mkv")
    options.output.path = MediaPath(isPlain ? folder.path(output) : output)
    if output == "null" { options.output.format = "null" }
    if output == "-" || output == "/dev/null" { options.output.format = "matroska" }
    options.output.encoder.codec = nil
    let error = try #require(failure(options))
    #expect(error.kind == .usage && error.subject == "--resume", "\(error)")
    #expect(folder.names == ["in.mkv"])
  }

  private func keeping(
    _ folder: TemporaryFolder,
    _ output: String,
    _ codec: String = "libx264",
  ) throws -> TranscodeOptions {
    let input = folder.path("in.mkv")
    if !FileManager.default.fileExists(atPath: input) { _ = try madeClip(folder) }
    var result = options(input, folder.path(output))
    result.output.encoder.codec = codec
    // The fastest preset of the slow ones.
    if codec.contains("av1") || codec.contains("vp9") { result.output.encoder.preset = "ultrafast" }
    result.work.isKept = true
    result.work.segmentLengths = 20...20
    return result
  }

  /// Runs until at least this many frames are stored, and then fails.
  private func interrupt(_ options: TranscodeOptions, whenStored stored: Int) throws {
    let work = options.work.folder(for: options.output.path)
    let count = Mutex(0)
    let failure = EngineError.backend(operation: "test", reason: "interrupted")
    let whole = nearest(2)
    #expect(throws: MediaError(.engine(failure), .upscale, "picture", "\(failure)")) {
      try Transcode(options).run { image throws(EngineError) in
        let number = count.withLock { count in
          defer { count += 1 }
          return count
        }
        // The frames that are in flight keep the encoder from seeing more.
        guard number > stored + 5 else { return try whole(image) }
        while (WorkState(reading: work)?.frameCount ?? 0) < stored { usleep(1000) }
        throw failure
      }
    }
  }

  private func failure(_ options: TranscodeOptions) -> MediaError? {
    do {
      _ = try Transcode(options)
      return nil
    } catch {
      return error
    }
  }

  /// What a packet is, but for where it lies.
  private struct Facts: Hashable {
    let times: [Int64]
    let isKeyFrame: Bool
    let bytes: [UInt8]
    let addition: [UInt8]
  }

  private func packets(_ path: String) throws -> [Int: [Facts]] {
    var demuxer = try Demuxer(InputOptions(MediaPath(path)), cancellation: Cancellation())
    var result: [Int: [Facts]] = [:]
    while let packet = try demuxer.read() {
      let native = packet.native.pointee
      let facts = Facts(
        times: [native.pts, native.dts, native.duration],
        isKeyFrame: packet.isKeyFrame,
        bytes: Array(UnsafeBufferPointer(start: native.data, count: Int(native.size))),
        addition: addition(packet)
      )
      result[packet.streamIndex, default: []].append(facts)
    }
    return result
  }

  private func addition(_ packet: borrowing Packet) -> [UInt8] {
    var size = 0
    let kind = AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL
    guard let data = av_packet_get_side_data(packet.native, kind, &size) else { return [] }
    return Array(UnsafeBufferPointer(start: data, count: size))
  }
}

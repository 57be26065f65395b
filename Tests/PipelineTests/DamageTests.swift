import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What counts as damage, and what does not.
@Suite struct DamageTests {
  // Two samples of MJPEG in one place, and none in the place before; a decoder would take that for the end.
  @Test func aSampleWithoutBytesIsNotTheEnd() throws {
    let folder = try TemporaryFolder()
    let film = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=2", "-c:v", "mjpeg"]
    let input = try made(folder, film + ["-pix_fmt", "yuvj420p"], "in.mp4")
    var bytes = try Array(Data(contentsOf: URL(filePath: input)))
    let table = try #require(bytes.firstRange(of: Array("stsz".utf8))?.upperBound)
    let entries = stride(from: table + 12, to: table + 12 + 20 * 4, by: 4).map { $0..<$0 + 4 }
    func size(_ number: Int) -> Int { bytes[entries[number]].reduce(0) { $0 << 8 | Int($1) } }
    let sum = UInt32(size(4) + size(5))
    bytes.replaceSubrange(entries[5], with: withUnsafeBytes(of: sum.bigEndian, Array.init))
    bytes.replaceSubrange(entries[4], with: [0, 0, 0, 0])
    try Data(bytes).write(to: URL(filePath: input))
    let report = try Transcode(options(input, folder.path("out.mkv"))).run(upscale: nearest(2))
    #expect(report.progress.frames == 19)
  }

  // A packet of a transport stream is lost: what the parser makes of the rest MP4 refuses, when it is written, which is
  // with a later picture.
  @Test func refusedSoundEndsNothing() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.ts", extra: ["-c:a", "eac3", "-b:a", "448k"])
    let bytes = try Array(Data(contentsOf: URL(filePath: input)))
    let packets = stride(from: 0, to: bytes.count, by: 188).map { bytes[$0..<$0 + 188] }
    let sound = packets.indices.filter { number in
      let packet = Array(packets[number])
      return Int(packet[1] & 31) << 8 | Int(packet[2]) == 0x101
    }
    let rest = packets.indices.filter { $0 != sound[9] }.flatMap { packets[$0] }
    try Data(rest).write(to: URL(filePath: input))
    let report = try Transcode(options(input, folder.path("out.mp4"))).run(upscale: nearest(2))
    #expect(report.progress.frames == 50 && report.droppedPackets == 1)
  }

  @Test func aFileThatEndsTooEarlyIsDamaged() throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: madeClip(folder)))
    let cut = folder.url.appendingPathComponent("cut.mkv")
    try whole.prefix(whole.count * 6 / 10).write(to: cut)
    let report = try Transcode(options(cut.path, folder.path("out.mkv"))).run(upscale: nearest(2))
    #expect(report.isDamaged)
    #expect(try frameTimes(folder.path("out.mkv")).count == frameTimes(cut.path).count)
  }

  @Test func aPictureWithInventedPartsIsDamaged() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.mp4", extra: ["-an"])
    var bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    // Slices lie between the boxes at the start of the file and those at its end.
    for part in 4..<12 { bytes[bytes.count * part / 16] ^= 0xFF }
    let bad = folder.url.appendingPathComponent("bad.mp4")
    try bytes.write(to: bad)
    let report = try Transcode(options(bad.path, folder.path("out.mkv"))).run(upscale: nearest(2))
    #expect(report.damagedPictures > 0)
    #expect(report.damagedPictures <= report.framesDecoded)
  }

  @Test func joinedTransportStreamsAreNotDamaged() throws {
    let folder = try TemporaryFolder()
    let part = try Data(contentsOf: URL(fileURLWithPath: madeClip(folder, "part.ts")))
    let joined = folder.url.appendingPathComponent("joined.ts")
    try (part + part).write(to: joined)
    let transcode = try Transcode(options(joined.path, folder.path("out.mkv")))
    let report = try transcode.run(upscale: nearest(2))
    #expect(report.progress.frames == 100)
    #expect(!report.isDamaged)
  }

  @Test func aStreamThatBeginsBetweenKeyFramesIsNotDamaged() throws {
    let folder = try TemporaryFolder()
    let keys = ["-g", "10", "-bf", "2", "-an", "-x264-params", "open-gop=1:scenecut=0"]
    let whole = try Data(
      contentsOf: URL(fileURLWithPath: madeClip(folder, "in.ts", extra: keys))
    )
    let cut = folder.url.appendingPathComponent("cut.ts")
    // 188: the size of a packet of MPEG-TS; a seventh of the file lies within the second group.
    try whole.dropFirst(whole.count / 7 / 188 * 188).write(to: cut)
    let report = try Transcode(options(cut.path, folder.path("out.mkv"))).run(upscale: nearest(2))
    #expect((30..<50).contains(report.progress.frames))
    #expect(!report.isDamaged)
  }

  @Test func aHoleInATransportStreamIsDamage() throws {
    let folder = try TemporaryFolder()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: madeClip(folder, "in.ts")))
    let middle = bytes.count / 2 / 188 * 188
    bytes.removeSubrange(middle..<(middle + 5 * 188))
    let bad = folder.url.appendingPathComponent("bad.ts")
    try bytes.write(to: bad)
    #expect(
      try Transcode(options(bad.path, folder.path("out.mkv"))).run(upscale: nearest(2)).isDamaged
    )
  }

  @Test func pictureDamageEndsARunThatAcceptsNone() throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: madeClip(folder)))
    try whole.prefix(whole.count / 2).write(to: folder.url.appendingPathComponent("cut.mkv"))
    var strict = options(folder.path("cut.mkv"), folder.path("out.mkv"))
    strict.damage.isStrict = true
    let transcode = try Transcode(strict)
    #expect {
      try transcode.run(upscale: nearest(2))
    } throws: {
      ($0 as? MediaError)?.kind == .refused
    }
    #expect(folder.names == ["cut.mkv", "in.mkv"])
  }

  @Test(arguments: [true, false]) func moreDamageThanAcceptedEndsTheRun(ofPictures: Bool) {
    let kind = ofPictures ? \RunCounters.Values.damagedPictures : \.damagedPackets
    var policy = DamagePolicy()
    policy.maximumErrorRate = 0.1
    var counts = RunCounters.Values()
    counts.decoded = 100
    counts[keyPath: kind] = 10
    #expect(throws: Never.self) { try policy.check(counts, MediaPath("in.mkv")) }
    counts[keyPath: kind] = 11
    #expect {
      try policy.check(counts, MediaPath("in.mkv"))
    } throws: {
      ($0 as? MediaError)?.kind == .damaged
    }
  }

  @Test func damagedSoundIsNoticedAndCopied() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.mp4")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    for packet in try copiedPackets(input, picture: 0)[1]?[20..<24] ?? [] {
      let range = try #require(bytes.range(of: Data(packet.bytes)))
      for index in range.dropFirst(2).prefix(12) { bytes[index] ^= 0x5A }
    }
    let bad = folder.url.appendingPathComponent("bad.mp4")
    try bytes.write(to: bad)
    let report = try Transcode(options(bad.path, folder.path("out.mp4"))).run(upscale: nearest(2))
    #expect(report.damagedPackets > 0 && report.damagedPictures == 0)
    let copies = try copiedPackets(folder.path("out.mp4"), picture: 0)[1]
    #expect(try copies?.map(\.bytes) == copiedPackets(bad.path, picture: 0)[1]?.map(\.bytes))
  }

  // Only libvpx notices these; libav's own decoder shows all pictures without a word.
  @Test func aChangedPictureOfVP9IsDamaged() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder, "in.webm", extra: vp9)
    #expect(try !Transcode(options(input, folder.path("1.mkv"))).run(upscale: nearest(2)).isDamaged)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    for part in 4..<12 { bytes[bytes.count * part / 16] ^= 0x55 }
    let bad = folder.url.appendingPathComponent("bad.webm")
    try bytes.write(to: bad)
    let report = try Transcode(options(bad.path, folder.path("2.mkv"))).run(upscale: nearest(2))
    #expect(report.damagedPictures > 0)
    #expect(report.progress.frames == 50)
  }

  private let vp9 = ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime", "-an"]

  @Test func aLastPictureThatIsCutShortIsDamage() throws {
    let folder = try TemporaryFolder()
    let input = folder.path("in.y4m")
    let made = try Subprocess(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "50", "-pix_fmt",
        "yuv420p", input,
      ]
    )
    try #require(made.exitCode == 0)
    #expect(try !Transcode(options(input, folder.path("1.mkv"))).run(upscale: nearest(2)).isDamaged)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    let bad = folder.url.appendingPathComponent("bad.y4m")
    try bytes.dropLast(100).write(to: bad)
    let report = try Transcode(options(bad.path, folder.path("2.mkv"))).run(upscale: nearest(2))
    #expect(report.isDamaged && report.progress.frames == 49)
  }
}

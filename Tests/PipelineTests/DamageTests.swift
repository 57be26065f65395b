import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What counts as damage, and what does not.
@Suite struct DamageTests {
  @Test func aFileThatEndsTooEarlyIsDamaged() throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: RunTests.clip(folder)))
    let cut = folder.url.appendingPathComponent("cut.mkv")
    try whole.prefix(whole.count * 6 / 10).write(to: cut)
    let report = try Transcode(options(cut.path, folder.path("out.mkv"))).run(upscale: nearest(2))
    #expect(report.isDamaged)
    #expect(try frameTimes(folder.path("out.mkv")).count == frameTimes(cut.path).count)
  }

  @Test func aPictureWithInventedPartsIsDamaged() throws {
    let folder = try TemporaryFolder()
    let input = try RunTests.clip(folder, "in.mp4", extra: ["-an"])
    var bytes = try Data(contentsOf: URL(fileURLWithPath: input))
    // Slices lie between the boxes at the start of the file and those at its end.
    for part in 4..<12 { bytes[bytes.count * part / 16] ^= 0xFF }
    let bad = folder.url.appendingPathComponent("bad.mp4")
    try bytes.write(to: bad)
    let report = try Transcode(options(bad.path, folder.path("out.mkv"))).run(upscale: nearest(2))
    #expect(report.damageCount > 0)
    #expect(report.damageCount <= report.framesDecoded)
  }

  @Test func joinedTransportStreamsAreNotDamaged() throws {
    let folder = try TemporaryFolder()
    let part = try Data(contentsOf: URL(fileURLWithPath: RunTests.clip(folder, "part.ts")))
    let joined = folder.url.appendingPathComponent("joined.ts")
    try (part + part).write(to: joined)
    let transcode = try Transcode(options(joined.path, folder.path("out.mkv")))
    let report = try transcode.run(upscale: nearest(2))
    #expect(report.progress.frames == 100)
    #expect(report.damageCount == 0)
  }
}

import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Damage that lies in the bytes of a container and that libav does not report.
@Suite struct ContainerCheckTests {
  @Test func aChangedClusterIsDamage() throws {
    let folder = try TemporaryFolder()
    let name = try madeClip(folder, extra: ["-c:v", "ffv1", "-an", "-slicecrc", "0"])
    var bytes = try Data(contentsOf: URL(fileURLWithPath: name))
    #expect(try !report(on: bytes, "whole.mkv", in: folder).isDamaged)
    bytes[bytes.count / 2] ^= 1
    #expect(try report(on: bytes, "bad.mkv", in: folder).damagedPackets > 0)
  }

  @Test func aTitleChangedInPlaceIsNoDamage() throws {
    let folder = try TemporaryFolder()
    let name = try madeClip(folder, extra: ["-metadata", "title=before"])
    var bytes = try Data(contentsOf: URL(fileURLWithPath: name))
    bytes.replaceSubrange(try #require(bytes.range(of: Data("before".utf8))), with: "behind".utf8)
    #expect(try !report(on: bytes, "changed.mkv", in: folder).isDamaged)
  }

  @Test func bytesMissingFromATransportStreamAreDamage() throws {
    let folder = try TemporaryFolder()
    let keys = ["-g", "1", "-an"]
    var bytes = try Data(
      contentsOf: URL(fileURLWithPath: madeClip(folder, "in.ts", extra: keys))
    )
    #expect(try !report(on: bytes, "whole.ts", in: folder).isDamaged)
    bytes.removeSubrange(bytes.count / 2..<(bytes.count / 2 + 1000))
    #expect(try report(on: bytes, "bad.ts", in: folder).isDamaged)
  }

  // 71 is also the byte that packets of a transport stream begin with.
  @Test func flatAreasOfRawPicturesAreNoDamage() throws {
    let folder = try TemporaryFolder()
    let (flat, other) = ([UInt8](repeating: 71, count: 25600), [UInt8](repeating: 30, count: 25600))
    let chroma = [UInt8](repeating: 128, count: 51200)
    var bytes = Data("YUV4MPEG2 W640 H160 F25:1 Ip A1:1 C420mpeg2\n".utf8)
    for _ in 0..<3 {
      bytes += Data("FRAME\n".utf8)
      for part in [flat, other, flat, other, chroma] { bytes.append(contentsOf: part) }
    }
    let report = try report(on: bytes, "flat.y4m", in: folder)
    #expect(report.progress.frames == 3 && !report.isDamaged)
  }

  @Test(arguments: [1, 7, 188, 1000, 100_000])
  func doesNotDependOnThePiecesInWhichItIsRead(size: Int) throws {
    let folder = try TemporaryFolder()
    for name in ["in.mkv", "in.ts"] {
      var bytes = try Data(contentsOf: URL(fileURLWithPath: madeClip(folder, name)))
      bytes.remove(at: 20_000)
      #expect(faultCount(of: Array(bytes), size) == 1, "\(name)")
    }
  }

  @Test func looksAtEachByteOnce() throws {
    let folder = try TemporaryFolder()
    var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: madeClip(folder))))
    bytes[bytes.count / 2] ^= 1
    var check = ContainerCheck()
    for range in [0..<5000, 9000..<9100, 2000..<7000, 7000..<bytes.count] {
      bytes[range].withUnsafeBufferPointer { check.look(at: $0, offset: Int64(range.lowerBound)) }
    }
    #expect(check.faultCount == 1)
  }

  private func faultCount(of bytes: [UInt8], _ size: Int) -> Int {
    var check = ContainerCheck()
    for start in stride(from: 0, to: bytes.count, by: size) {
      bytes[start..<min(start + size, bytes.count)].withUnsafeBufferPointer {
        check.look(at: $0, offset: Int64(start))
      }
    }
    return check.faultCount
  }

  private func report(
    on bytes: Data,
    _ name: String,
    in folder: TemporaryFolder,
  ) throws -> TranscodeReport {
    try bytes.write(to: folder.url.appendingPathComponent(name))
    return try Transcode(options(folder.path(name), folder.path("out-" + name)))
      .run(upscale: nearest(2))
  }
}

import TestSupport
import Testing

@testable import Pipeline

@Suite struct HeldPacketTests {
  @Test func packetsWithoutDataFillTheListToo() throws {
    var held = HeldPackets(limit: 2000)
    while !held.isFull && held.packets.count < 100 { held.append(try Packet()) }
    #expect(held.packets.count == 4)
  }

  // A decoder with many threads gives its first picture late; it must not be ended before.
  @Test func aLimitBeforeTheFirstPictureIsNoDamage() throws {
    let folder = try TemporaryFolder()
    let large = ["-f", "lavfi", "-i", "color=size=2560x1440:rate=25:duration=0.6"]
    let input = try made(
      folder,
      ["-i", try madeClip(folder)] + large + ["-map", "0:v", "-map", "1:v", "-c:v:0", "copy"]
        + ["-c:v:1", "rawvideo", "-disposition:v:0", "default"]
    )
    var options = options(input, folder.path("out.mkv"))
    options.input.decoderThreads = 16
    let error = #expect(throws: MediaError.self) { try Transcode(options) }
    #expect(error?.kind == .limit && error?.reason.contains("fewer --threads") == true)
  }
}

import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// How many times an animation is played.
@Suite struct PlayCountTests {
  // What ffmpeg is given for the input, and what the outputs say. GIF counts how often it begins again, 0 for ever;
  // APNG how often it is played.
  @Test(arguments: [
    ("in.gif", ["-loop", "-1"], nil, 1), ("in.gif", ["-loop", "0"], 0, 0),
    ("in.gif", ["-loop", "4"], 4, 5), ("in.apng", ["-plays", "0"], 0, 0),
    ("in.apng", ["-plays", "1"], nil, 1), ("in.apng", ["-plays", "3"], 2, 3),
    ("in.mkv", [], 0, 0),
  ])
  func staysAsItWas(name: String, given: [String], gif: Int?, apng: Int) throws {
    let folder = try TemporaryFolder()
    let input = try made(
      folder,
      ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=0.3"] + given,
      name
    )
    let outputs = ["out.gif", "out.apng"].map(folder.path)
    for output in outputs {
      let outcome = try Transcode(options(input, output)).run(upscale: nearest(2))
      #expect(outcome.progress.frames == 3)
    }
    #expect(try number(after: "NETSCAPE2.0", 2..<4, of: outputs[0])?.littleEndian == gif)
    #expect(try number(after: "acTL", 4..<8, of: outputs[1])?.bigEndian == apng)
  }

  // The last picture of an animation often stays before it begins again.
  @Test(arguments: ["out.gif", "out.apng"])
  func theLastPictureStaysAsLong(name: String) throws {
    let folder = try TemporaryFolder()
    let still = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=0.3"]
    let input = try made(folder, still + ["-final_delay", "300"], "in.gif")
    _ = try Transcode(options(input, folder.path(name))).run(upscale: nearest(2))
    let probe = ["-v", "error", "-show_entries", "packet=duration_time", "-of", "csv=p=0"]
    let found = try Subprocess("ffprobe", probe + [folder.path(name)]).text
    #expect(found.split(separator: "\n").compactMap { Double($0) } == [0.1, 0.1, 3])
  }

  @Test func animatedWebPIsPlayedAsOften() throws {
    let folder = try TemporaryFolder()
    var options = options(try madeClip(folder), folder.path("out.webp"))
    options.output.format = "webp"
    _ = try Transcode(options).run(upscale: nearest(2))
    #expect(try number(after: "ANIM", 8..<10, of: folder.path("out.webp"))?.littleEndian == 0)
  }

  @Test func ofGIFInAnotherContainerIsUnknown() throws {
    let folder = try TemporaryFolder()
    let film = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=0.3", "-c:v", "gif"]
    let input = try made(folder, film, "in.nut")
    _ = try Transcode(options(input, folder.path("out.gif"))).run(upscale: nearest(2))
    #expect(try number(after: "NETSCAPE2.0", 2..<4, of: folder.path("out.gif"))?.littleEndian == 0)
  }

  // A remark before what tells the number, and a file that ends too soon.
  @Test func isFoundBehindARemark() {
    let header = Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 0, 0] + [UInt8](repeating: 7, count: 6)
    let remark: [UInt8] = [0x21, 0xFE, 2, 0x21, 0xFF, 0]
    let loop = [0x21, 0xFF, 11] + Array("NETSCAPE2.0".utf8) + [3, 1, 2, 1, 0]
    #expect(PlayCount(ofGIF: header + remark + loop + [0x2C]) == PlayCount(times: 259))
    #expect(PlayCount(ofGIF: header + remark + [0x2C] + loop) == PlayCount(times: 1))
    for count in 0..<(header + remark + loop).count - 2 {
      let part = Array((header + remark + loop).prefix(count))
      #expect(PlayCount(ofGIF: part) == PlayCount(times: 1))
    }
  }

  private func number(
    after name: String,
    _ place: Range<Int>,
    of path: String,
  ) throws -> (littleEndian: Int, bigEndian: Int)? {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    guard let end = data.range(of: Data(name.utf8))?.upperBound else { return nil }
    let bytes = data[end + place.lowerBound..<end + place.upperBound]
    let value = bytes.reduce(0) { $0 << 8 | Int($1) }
    return (bytes.reversed().reduce(0) { $0 << 8 | Int($1) }, value)
  }
}

import Engine
import FFmpegC
import TestSupport
import Testing

@testable import Pipeline

/// HDR10+ data of several windows, which name places in the picture.
@Suite struct LightWindowTests {
  @Test(arguments: 1...3)
  func decodersReadWhatWasGiven(windows: Int) throws {
    let folder = try TemporaryFolder()
    let pictures = [1000, 2000]
    let lights = try pictures.compactMap {
      try LightSample.light(brightness: $0, windows: windows)
    }
    try LightSample.write(lights, to: folder.path("light.hevc"))
    let given = try pictures.map {
      try LightSample.bytes(LightSample.picture(brightness: $0, windows: windows))
    }
    #expect(try LightSample.read(folder.path("light.hevc"), LightSample.bytes) == given)
  }

  @Test func windowsGrowWithThePicture() throws {
    let folder = try TemporaryFolder()
    let light = try #require(try LightSample.light(brightness: 1000, windows: 3))
    try LightSample.write([light, light], to: folder.path("in.hevc"))
    var settings = options(folder.path("in.hevc"), folder.path("out.mkv"), times: 3)
    settings.output.encoder.codec = "hevc"
    _ = try Transcode(settings).run(upscale: nearest(3))

    let found = try LightSample.read(folder.path("out.mkv")) { frame in
      let data = av_frame_get_side_data(frame.native, AV_FRAME_DATA_DYNAMIC_HDR_PLUS)
      let light = UnsafeMutableRawPointer(try #require(data?.pointee.data))
        .assumingMemoryBound(to: AVDynamicHDRPlus.self).pointee
      return [LightSample.place(light.params.1), LightSample.place(light.params.2)]
    }
    // The first pixel of the first, and the last of the last; the centre stays in the middle of its pixel.
    let first = [9, 15, 92, 134, 49, 61, 30, 18, 36, 27]
    let second = [0, 0, 191, 191, 49, 61, 135, 18, 36, 27]
    #expect(found == [[first, second], [first, second]])
  }

  /// A display matrix, and what a window becomes.
  struct Turn: Sendable {
    let matrix: [Int32]
    let place: [Int]
  }

  // The window of 3...30 × 5...44 in a picture of 64 × 64; its ellipse at (16, 20), 30° from the x axis.
  static let turns = [
    Turn(matrix: [1, 0, 0, 0, 1, 0], place: [3, 5, 30, 44, 16, 20, 30, 6, 12, 9]),
    Turn(matrix: [0, 1, 0, -1, 0, 0], place: [19, 3, 58, 30, 43, 16, 120, 6, 12, 9]),
    Turn(matrix: [-1, 0, 0, 0, -1, 0], place: [33, 19, 60, 58, 47, 43, 30, 6, 12, 9]),
    Turn(matrix: [0, -1, 0, 1, 0, 0], place: [5, 33, 44, 60, 20, 47, 120, 6, 12, 9]),
    Turn(matrix: [-1, 0, 0, 0, 1, 0], place: [33, 5, 60, 44, 47, 20, 150, 6, 12, 9]),
  ]

  @Test(arguments: turns)
  func windowsTurnWithThePicture(turn: Turn) throws {
    let orientation = try #require(Orientation(displayMatrix: turn.matrix + [0, 0, 1]))
    let map = PictureMap(orientation: orientation, source: (64, 64), target: (64, 64))
    #expect(LightSample.place(try window().placed(map)) == turn.place)
  }

  @Test func ellipsesStretchWithThePicture() {
    let map = PictureMap(orientation: .upright, source: (64, 64), target: (192, 64))
    func isNear(_ found: (major: Double, minor: Double, angle: Double), _ expected: [Double])
      -> Bool
    {
      // 0 and 180 degrees are the same.
      let turn = (found.angle - expected[2]).remainder(dividingBy: 180)
      return max(abs(found.major - expected[0]), abs(found.minor - expected[1]), abs(turn)) < 1e-9
    }
    #expect(isNear(map.ellipse(major: 5, minor: 5, angle: 77), [15, 5, 0]))
    #expect(isNear(map.ellipse(major: 4, minor: 2, angle: 90), [6, 4, 0]))
    #expect(isNear(map.ellipse(major: 8, minor: 2, angle: 90), [8, 6, 90]))
  }

  @Test func windowsBeyondThePictureEndAtItsEdge() throws {
    let map = PictureMap(orientation: .upright, source: (20, 10), target: (40, 20))
    #expect(Array(LightSample.place(try window().placed(map))[0..<4]) == [6, 10, 39, 19])
  }

  @Test func moreWindowsThanAMessageCanHaveAreNotWritten() throws {
    #expect(try LightSample.light(brightness: 1000, windows: 4) == nil)
  }

  private func window() throws -> AVHDRPlusColorTransformParams {
    let picture = try LightSample.picture(brightness: 1000, windows: 2)
    let data = av_frame_get_side_data(picture.native, AV_FRAME_DATA_DYNAMIC_HDR_PLUS)
    return UnsafeMutableRawPointer(try #require(data?.pointee.data))
      .assumingMemoryBound(to: AVDynamicHDRPlus.self).pointee.params.1
  }
}

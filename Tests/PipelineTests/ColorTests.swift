import Engine
import FFmpegC
import TestSupport
import Testing

@testable import Pipeline

/// Solid colours through both conversions, as decoded frames of every usual kind.
@Suite struct ColorTests {
  struct Kind: CustomTestStringConvertible, Sendable {
    let format: AVPixelFormat
    let matrix: ColorSpec.Matrix
    let range: ColorSpec.Range
    var testDescription: String {
      "\(PixelLayout(format)?.name ?? "?") \(matrix.name) \(range)"
    }
  }

  static let formats = [
    AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV420P10LE,
    AV_PIX_FMT_YUV422P10LE, AV_PIX_FMT_YUV444P10LE, AV_PIX_FMT_NV12, AV_PIX_FMT_GRAY8,
    AV_PIX_FMT_GBRP, AV_PIX_FMT_RGB24, AV_PIX_FMT_GBRP10LE, AV_PIX_FMT_YUVJ420P,
    AV_PIX_FMT_YUYV422, AV_PIX_FMT_YUV411P, AV_PIX_FMT_YUVA420P,
  ]

  static let kinds: [Kind] = formats.flatMap { format in
    [ColorSpec.Matrix.bt709, .smpte170m, .bt2020].flatMap { matrix in
      [ColorSpec.Range.limited, .full].map { Kind(format: format, matrix: matrix, range: $0) }
    }
  }

  @Test(arguments: kinds)
  func bringsSolidColorsBackWithinOneCode(kind: Kind) throws {
    for code in [16, 40, 81, 126, 180, 235] {
      let frame = try solid(kind, code, width: 34, height: 18)
      let before = try samples(frame)
      var toImage = ToImage(orientation: .upright)
      let image = try toImage.image(of: frame)
      let after = try samples(back(image, kind, width: 34, height: 18))
      let worst = try zip(before, after).map { abs($0 - $1) }.max().unwrapped
      #expect(worst <= 1, "code \(code)")
    }
  }

  // FFmpeg's own way from XYZ, which cinemas take, to bytes of R, G and B.
  @Test(arguments: [(64, 48), (1280, 8), (8, 720)])
  func makesTheColorsOfXYZ(width: Int, height: Int) throws {
    let folder = try TemporaryFolder()
    let lossless = ["-pix_fmt", "xyz12le", "-f", "rawvideo", folder.path("xyz.raw")]
    let green = ["-v", "error", "-f", "lavfi", "-i", "color=0x209030:size=\(width)x\(height)"]
    try #require(try Subprocess("ffmpeg", green + ["-frames:v", "1"] + lossless).exitCode == 0)
    var input = InputOptions(MediaPath(folder.path("xyz.raw")))
    input.format = "rawvideo"
    input.videoSize = "\(width)x\(height)"
    input.pixelFormat = "xyz12le"
    var opened = try OpenedInput(input, Cancellation())
    guard let frame = try opened.pictures.next() else { return #expect(Bool(false), "no picture") }
    var toImage = ToImage(orientation: .upright)
    let image = try toImage.image(of: frame)
    for (plane, code) in [0x20, 0x90, 0x30].enumerated() {
      let found = image.plane(plane)[image.stride * (height / 2) + width / 2] * 255
      #expect(abs(found - Float(code)) <= 3, "plane \(plane)")
    }
  }

  @Test(arguments: [(33, 17), (161, 121), (1, 1), (3, 2)])
  func keepsOddSizesOfSubsampledPictures(width: Int, height: Int) throws {
    let kind = Kind(format: AV_PIX_FMT_YUV420P, matrix: .bt709, range: .limited)
    let frame = try solid(kind, 100, width: width, height: height)
    let before = try samples(frame)
    var toImage = ToImage(orientation: .upright)
    let image = try toImage.image(of: frame)
    #expect((image.width, image.height) == (width, height))
    let after = try samples(back(image, kind, width: width, height: height))
    #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 1 })
  }

  @Test func repeatsTheLastColumnAndRowWhereTheEncoderWantsEvenSizes() throws {
    let image = Image(width: 5, height: 3)
    for index in 0..<3 {
      for y in 0..<3 {
        for x in 0..<5 { image.plane(index)[y * image.stride + x] = Float(x + 5 * y) / 20 }
      }
    }
    let layout = try PixelLayout(AV_PIX_FMT_YUV420P).unwrapped
    let tags = ColorSpec(
      matrix: .bt709,
      primaries: 2,
      transfer: 2,
      range: .full,
      chroma: .left
    )
    var fromImage = try FromImage(
      PictureTarget(width: 5, height: 3, layout: layout, color: tags, isPadded: true),
      sourceDepth: 8
    )
    let frame = try fromImage.frame(of: image)
    #expect((frame.width, frame.height) == (6, 4))
    let codes = try samples(frame).prefix(24)
    let expected = (0..<4).flatMap { y in
      (0..<6).map { x in Int((Double(min(x, 4) + 5 * min(y, 2)) / 20 * 255).rounded()) }
    }
    #expect(zip(codes, expected).allSatisfy { abs($0 - $1) <= 1 }, "\(Array(codes))")
  }

  @Test func anImageThatRepeatsIsConvertedOnce() throws {
    let layout = try PixelLayout(AV_PIX_FMT_YUV420P).unwrapped
    let color = ColorSpec.image.completed(for: layout, width: 4, height: 2)
    let target = PictureTarget(width: 4, height: 2, layout: layout, color: color)
    var fromImage = try FromImage(target, sourceDepth: 8)
    func image(_ level: Float) -> Image {
      let image = Image(width: 4, height: 2)
      for plane in 0..<3 { image.plane(plane).update(repeating: level, count: image.stride * 2) }
      return image
    }
    func memory(_ frame: borrowing Frame) -> UnsafeMutablePointer<UInt8>? {
      frame.native.pointee.data.0
    }
    let (first, second) = (image(0.2), image(0.8))
    let frame = try fromImage.frame(of: first)
    let again = try fromImage.frame(of: first)
    let other = try fromImage.frame(of: second)
    let back = try fromImage.frame(of: first)
    #expect(memory(again) == memory(frame) && memory(other) != memory(frame))
    #expect(try samples(again) == samples(frame) && samples(back) == samples(frame))
    #expect(try samples(other) != samples(frame))
  }

  @Test func makesRedOfRedInBothMatrices() throws {
    // Y'CbCr of pure red in limited range, from the matrices of BT.709 and BT.601.
    for (matrix, codes) in [(ColorSpec.Matrix.bt709, (63, 102, 240)), (.smpte170m, (81, 90, 240))] {
      let frame = try Frame(width: 32, height: 16, format: AV_PIX_FMT_YUV444P)
      fill(frame, [codes.0, codes.1, codes.2])
      tag(frame, matrix, .limited)
      var toImage = ToImage(orientation: .upright)
      let image = try toImage.image(of: frame)
      #expect(abs(image.plane(0)[0] - 1) < 0.01)
      #expect(abs(image.plane(1)[0]) < 0.01)
      #expect(abs(image.plane(2)[0]) < 0.01)
    }
  }

  @Test func resizesToTheTarget() throws {
    let image = Image(width: 32, height: 16)
    for index in 0..<3 {
      for offset in 0..<image.stride * 16 { image.plane(index)[offset] = 0.5 }
    }
    let kind = Kind(format: AV_PIX_FMT_YUV420P, matrix: .bt709, range: .full)
    let frame = try back(image, kind, width: 45, height: 23)
    #expect((frame.width, frame.height) == (45, 23))
    #expect(try samples(frame).allSatisfy { abs($0 - 128) <= 1 })
  }

  @Test func dithersOnlyWhenDepthIsReduced() throws {
    let image = Image(width: 64, height: 64)
    // Half way between two codes of 8 bits.
    for index in 0..<3 {
      for offset in 0..<image.stride * 64 { image.plane(index)[offset] = 100.5 / 255 }
    }
    let kind = Kind(format: AV_PIX_FMT_GRAY8, matrix: .bt709, range: .full)
    let plain = try Set(samples(back(image, kind, width: 64, height: 64, sourceDepth: 8)))
    let dithered = try Set(samples(back(image, kind, width: 64, height: 64, sourceDepth: 10)))
    #expect(plain.count == 1)
    #expect(dithered == [100, 101])
  }
}

extension ColorTests {
  private func solid(_ kind: Kind, _ code: Int, width: Int, height: Int) throws -> Frame {
    let layout = try PixelLayout(kind.format).unwrapped
    let planar = try layout.planarEquivalent
    let scale = 1 << (planar.depth - 8)
    let frame = try Frame(width: width, height: height, format: planar.format)
    // A grey near the middle with a little colour, inside both ranges.
    fill(frame, [code * scale, 120 * scale, 132 * scale])
    tag(frame, kind.matrix, kind.range)
    guard !layout.isPlanar else { return frame }
    let packed = try Frame(width: width, height: height, format: layout.format)
    var repacker = Repacker()
    try repacker.repack(frame, into: packed)
    tag(packed, kind.matrix, kind.range)
    return packed
  }

  private func back(
    _ image: Image,
    _ kind: Kind,
    width: Int,
    height: Int,
    sourceDepth: Int = 8,
  ) throws -> Frame {
    let layout = try PixelLayout(kind.format).unwrapped
    let tags = ColorSpec(
      matrix: kind.matrix,
      primaries: 2,
      transfer: 2,
      range: kind.range,
      chroma: .unspecified
    )
    let target = PictureTarget(
      width: width,
      height: height,
      layout: layout,
      color: tags.completed(for: layout, width: width, height: height)
    )
    var fromImage = try FromImage(target, sourceDepth: sourceDepth)
    return try fromImage.frame(of: image)
  }

  private func tag(_ frame: borrowing Frame, _ matrix: ColorSpec.Matrix, _ range: ColorSpec.Range) {
    ColorSpec(matrix: matrix, primaries: 2, transfer: 2, range: range, chroma: .unspecified)
      .tag(frame)
  }

  private func fill(_ frame: borrowing Frame, _ codes: [Int]) {
    forEachSample(frame) { component, pointer, size in
      if size == 1 {
        pointer.storeBytes(of: UInt8(codes[component]), as: UInt8.self)
      } else {
        pointer.storeBytes(of: UInt16(codes[component]), as: UInt16.self)
      }
    }
  }

  /// Every sample of a frame, made planar first.
  private func samples(_ frame: borrowing Frame) throws -> [Int] {
    let layout = try PixelLayout(frame.format).unwrapped
    var result: [Int] = []
    if layout.isPlanar {
      forEachSample(frame) { _, pointer, size in
        result.append(
          size == 1
            ? Int(pointer.load(as: UInt8.self)) : Int(pointer.load(as: UInt16.self))
        )
      }
      return result
    }
    let planar = try layout.planarEquivalent
    let copy = try Frame(width: frame.width, height: frame.height, format: planar.format)
    var repacker = Repacker()
    try repacker.repack(frame, into: copy)
    return try samples(copy)
  }

  private func forEachSample(
    _ frame: borrowing Frame,
    _ body: (Int, UnsafeMutableRawPointer, Int) -> Void,
  ) {
    guard let layout = PixelLayout(frame.format) else { return }
    let planes = ffmpegc_planes(frame, layout)
    let data = [planes.data.0, planes.data.1, planes.data.2]
    let strides = [planes.stride.0, planes.stride.1, planes.stride.2]
    let size = layout.depth > 8 ? 2 : 1
    for component in layout.planes.indices {
      let shift = component == 0 || layout.family != .yuv ? (x: 0, y: 0) : layout.chromaShift
      let width = (frame.width + (1 << shift.x) - 1) >> shift.x
      let height = (frame.height + (1 << shift.y) - 1) >> shift.y
      for y in 0..<height {
        for x in 0..<width {
          guard let plane = data[component] else { continue }
          body(component, plane + y * strides[component] + x * size, size)
        }
      }
    }
  }
}

extension Optional {
  /// The value, or an error that ends the test.
  fileprivate var unwrapped: Wrapped {
    get throws { try #require(self) }
  }
}

import Engine
import FFmpegC
import Testing

@testable import Pipeline

@Suite struct TransparencyTests {
  @Test(arguments: [
    AV_PIX_FMT_RGBA, AV_PIX_FMT_BGRA, AV_PIX_FMT_ARGB, AV_PIX_FMT_GBRAP, AV_PIX_FMT_YUVA420P,
    AV_PIX_FMT_YUVA444P10LE, AV_PIX_FMT_RGBA64BE, AV_PIX_FMT_GBRAP12LE,
  ])
  func comesBackWithinTwoCodes(format: AVPixelFormat) throws {
    let layout = try #require(PixelLayout(format))
    let color = ColorSpec.image.completed(for: layout, width: 21, height: 13)
    let target = PictureTarget(width: 21, height: 13, layout: layout, color: color)
    var fromImage = try FromImage(target, sourceDepth: layout.depth)
    let (colors, alpha) = (ramp { _, _ in 0.5 }, ramp { x, y in Float(x * 13 + y) / 273 })
    let frame = try fromImage.frame(of: colors, alpha: alpha)
    #expect(frame.format == format)
    var toAlpha = ToAlpha(orientation: .upright)
    let found = try #require(try toAlpha.image(of: frame))
    // Half a code when it is stored, and one when swscale takes packed samples apart.
    let tolerance = 1.5 / Float(1 << min(layout.depth, 16) - 1) + 1e-4
    for y in 0..<13 {
      for x in 0..<21 {
        let difference = found.plane(0)[y * found.stride + x] - alpha.plane(0)[y * alpha.stride + x]
        #expect(abs(difference) <= tolerance, "\(x), \(y)")
      }
    }
  }

  @Test func picturesWithoutAnyAreOpaque() throws {
    let layout = try #require(PixelLayout(AV_PIX_FMT_GBRAP))
    let target = PictureTarget(width: 21, height: 13, layout: layout, color: .image)
    var fromImage = try FromImage(target, sourceDepth: 8)
    let frame = try fromImage.frame(of: ramp { _, _ in 0.5 })
    let alpha = try #require(frame.native.pointee.data.3)
    let stride = Int(frame.native.pointee.linesize.3)
    #expect((0..<13).allSatisfy { y in (0..<21).allSatisfy { alpha[y * stride + $0] == 255 } })
    var toAlpha = ToAlpha(orientation: .upright)
    #expect(try toAlpha.image(of: Frame(width: 4, height: 4, format: AV_PIX_FMT_RGB24)) == nil)
  }

  @Test func whatIsNotSeenTakesTheColorOfWhatIsSeenNearby() {
    let image = ramp { x, _ in x < 10 ? 0.8 : 0 }
    let alpha = ramp { x, _ in x < 10 ? 1 : 0 }
    TransparentFill.fill(image, where: alpha)
    for y in 0..<13 {
      for x in 0..<13 { #expect(abs(image.plane(1)[y * image.stride + x] - 0.8) < 1e-5) }
      #expect(image.plane(1)[y * image.stride + 13] == 0)
    }
  }

  @Test(arguments: ["png": "rgba", "libvpx-vp9": "yuva420p", "prores_ks": "yuva444p10le"])
  func isKeptWhereTheEncoderCan(encoder: String, expected: String) throws {
    let source = try #require(PixelLayout(AV_PIX_FMT_BGRA))
    let candidate = try EncoderCandidate(named: encoder)
    #expect(try candidate.layout(nearestTo: source, keepsAlpha: true).name == expected)
    #expect(try !candidate.layout(nearestTo: source).hasAlpha)
  }

  private func ramp(_ sample: (_ x: Int, _ y: Int) -> Float) -> Image {
    let image = Image(width: 21, height: 13)
    for index in 0..<Image.planeCount {
      for y in 0..<13 {
        for x in 0..<21 { image.plane(index)[y * image.stride + x] = sample(x, y) }
      }
    }
    return image
  }
}

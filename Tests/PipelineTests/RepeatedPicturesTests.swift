import Engine
import Testing

@testable import Pipeline

@Suite struct RepeatedPicturesTests {
  // A slide that stands still is enlarged anew when there is time for a better way, but not for a worse one.
  @Test func whatStandsStillGetsBetter() throws {
    var repeats = RepeatedPictures(tolerance: 0)
    let image = Image(width: 2, height: 2)
    var upscaled: [Int] = []
    for rung in [1, 1, 2, 0, 0, 1] {
      let upscale: Transcode.Upscale = { (image) throws(EngineError) in PendingImage(image) }
      let count = repeats.count
      _ = try repeats.picture(for: image, rung: rung, upscale: upscale)
      if repeats.count == count { upscaled.append(rung) }
    }
    #expect(upscaled == [1, 0])
  }
}

import TestSupport
import Testing

@testable import Engine

@Suite struct BlendingTests {
  /// Enlarges by repeating pixels and adds some noise: what a pixel becomes depends on no other.
  private struct Repeating: Network {
    let scale = 4
    var tileRule = TileRule.overlap(alignment: 16, padsPicture: true)

    func graph(height: Int, width: Int) -> Graph {
      var graph = Graph()
      let picture = graph.input(Shape(height: height, width: width, channels: 3))
      let noise = graph.input(Shape(height: 4 * height, width: 4 * width, channels: 3))
      graph.output = graph.weightedSum([(1, graph.nearest(picture, factor: 4)), (0.02, noise)])
      return graph
    }
  }

  private static let sizes = [(1, 1), (5, 3), (16, 16), (17, 31), (70, 33), (129, 50)]

  // One noise field: wherever the cuts fall, the result is that of the whole picture.
  @Test(arguments: sizes)
  func seamlessTilesShowNoCuts(width: Int, height: Int) throws {
    let picture = gradient(width: width, height: height)
    let whole = try upscaler(.wholePicture).upscale(picture).wait()

    for side in [16, 32, 48] {
      let tiled = try upscaler(.side(side)).upscale(picture).wait()
      #expect(maximumDifference(tiled.allSamples, whole.allSamples) <= Tolerance.tiling)
    }
  }

  @Test(arguments: [Upscaler.Blending.seamless, .paper])
  func resultDoesNotDependOnTheWorkers(blending: Upscaler.Blending) throws {
    let picture = gradient(width: 129, height: 70)
    let one = try upscaler(.side(32), blending).upscale(picture).wait()

    for workers in [2, 5] {
      let upscaler = try upscaler(.side(32), blending, workers: workers)
      let pending = try (0..<3).map { _ in try upscaler.upscale(picture) }
      for result in try pending.map({ try $0.wait() }) {
        #expect(maximumDifference(result.allSamples, one.allSamples) == 0)
      }
    }
  }

  // Noise of its own for each tile averages out where tiles overlap: mean right, deviation smaller.
  @Test func paperTilesAreAveraged() throws {
    let picture = gradient(width: 28, height: 16)
    let upscaler = try upscaler(.side(16), .paper)
    let result = try upscaler.upscale(picture).wait()
    let other = try self.upscaler(.side(16)).upscale(picture).wait()

    let difference = maximumDifference(result.allSamples, other.allSamples)
    #expect(difference > 0.001 && difference < 0.2)
  }

  // Four tiles of 16 × 16 over a picture of noise: where they overlap, an average of samples in 0…1.
  @Test(arguments: [true, false])
  func tilesAreClampedBeforeTheyAreAveraged(clampsTiles: Bool) throws {
    let rule = TileRule.overlap(alignment: 16, padsPicture: true, clampsTiles: clampsTiles)
    var options = Upscaler.Options()
    (options.tiling, options.blending) = (.side(16), .paper)
    let model = Model(name: "noisy", network: Noisy(tileRule: rule))
    let picture = gradient(width: 28, height: 16)
    let result = try Upscaler(model: model, options: options).upscale(picture).wait().allSamples

    // Noise of deviation 10 is nearly always beyond the range: averages of two clamped samples are 0, ½
    // or 1; averages of two others are nearly always 0 or 1.
    let middle = result.count { abs($0 - 0.5) < 0.01 }
    #expect(clampsTiles ? middle > result.count / 40 : middle < result.count / 200)
  }

  /// Noise that is far beyond the range.
  private struct Noisy: Network {
    let scale = 4
    let tileRule: TileRule

    func graph(height: Int, width: Int) -> Graph {
      var graph = Graph()
      let picture = graph.input(Shape(height: height, width: width, channels: 3))
      let noise = graph.input(Shape(height: 4 * height, width: 4 * width, channels: 3))
      graph.output = graph.weightedSum([(0.001, graph.nearest(picture, factor: 4)), (10, noise)])
      return graph
    }
  }

  @Test(arguments: [Upscaler.Blending.seamless, .paper], [1, 3])
  func noiseIsStillOrNewInEveryFrame(blending: Upscaler.Blending, workers: Int) throws {
    let picture = gradient(width: 40, height: 24)
    for noise in [Upscaler.Noise.still, .perFrame] {
      var options = Upscaler.Options()
      options.tiling = .side(16)
      (options.blending, options.noise, options.workers) = (blending, noise, workers)
      let upscaler = try Upscaler(model: Model(name: "", network: Repeating()), options: options)
      let pending = try (0..<3).map { _ in try upscaler.upscale(picture) }
      let results = try pending.map { try $0.wait().allSamples }
      #expect((results[0] == results[1]) == (noise == .still))
      #expect((results[1] == results[2]) == (noise == .still))

      options.firstFrame = 2
      let later = try Upscaler(model: Model(name: "", network: Repeating()), options: options)
      #expect(try later.upscale(picture).wait().allSamples == results[2])
    }
  }

  private func upscaler(
    _ tiling: Upscaler.Tiling,
    _ blending: Upscaler.Blending = .seamless,
    workers: Int = 1,
  ) throws -> Upscaler {
    var options = Upscaler.Options()
    options.tiling = tiling
    options.blending = blending
    options.workers = workers
    return try Upscaler(model: Model(name: "repeating", network: Repeating()), options: options)
  }

  private func gradient(width: Int, height: Int) -> Image {
    let image = Image(width: width, height: height)
    for plane in 0..<Image.planeCount {
      for y in 0..<height {
        for x in 0..<width {
          image.plane(plane)[y * image.stride + x] =
            0.25 + 0.5 * Float(x * (plane + 1) + y) / Float(3 * width + height)
        }
      }
    }
    return image
  }
}

extension Image {
  /// The samples without the padding of rows.
  fileprivate var allSamples: [Float] {
    (0..<Image.planeCount).flatMap { index in
      (0..<height).flatMap { row in
        UnsafeBufferPointer(start: plane(index) + row * stride, count: width)
      }
    }
  }
}

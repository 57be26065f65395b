import Glibc
import TestSupport
import Testing

@testable import Engine

extension Tolerance {
  /// The whole network on one library against the other, in 0…1.
  fileprivate static let backends: Float = 1e-4
}

@Suite struct UpscalerTests {
  // MARK: The same picture, however it is computed

  @Test(arguments: [2, 4])
  func workersDoNotChangeABit(workers: Int) throws {
    let pictures = (0..<5).map { picture(width: 70, height: 50, seed: $0) }
    let expected = try upscaler(tiling: .side(32)).upscaleAll(pictures, inFlight: 1)

    let actual = try upscaler(workers: workers, tiling: .side(32)).upscaleAll(pictures, inFlight: 5)

    #expect(actual.count == expected.count)
    for (one, other) in zip(actual, expected) { #expect(differingSamples(one, other) == 0) }
  }

  @Test func runsAreRepeatable() throws {
    let picture = picture(width: 33, height: 21, seed: 3)
    let upscaler = try upscaler(workers: 2, tiling: .side(16))

    let first = try upscaler.upscale(picture).wait()
    let second = try upscaler.upscale(picture).wait()

    #expect(differingSamples(first, second) == 0)
  }

  @Test(arguments: [16, 24, 40, 1000])
  func tilesDoNotShow(side: Int) throws {
    let picture = picture(width: 90, height: 70, seed: 4)
    let whole = try upscaler(workers: 2, tiling: .wholePicture).upscale(picture).wait()

    let tiled = try upscaler(workers: 2, tiling: .side(side)).upscale(picture).wait()

    #expect(maximumDifference(tiled.samples, whole.samples) <= Tolerance.tiling)
  }

  @Test(arguments: [1, 2, 3, 50]) func bandsDoNotShow(count: Int) throws {
    let picture = picture(width: 100, height: 70, seed: 4)
    let whole = try upscaler(workers: 2, tiling: .wholePicture).upscale(picture).wait()

    let inBands = try upscaler(workers: 2, tiling: .bands(count)).upscale(picture).wait()

    #expect(maximumDifference(inBands.samples, whole.samples) <= Tolerance.tiling)
  }

  @Test func bandsAreWholeRowsAndAsManyAsWanted() throws {
    var options = Upscaler.Options()
    options.tiling = .bands(2)
    options.workers = 2
    let plan = try WorkPlan(model: Model(named: "fast"), width: 320, height: 180, options: options)
    #expect(plan.tiles.tiles.map(\.core.height) == [90, 90])
    #expect(plan.tiles.windowWidth == 320 && plan.framesAtOnce == 1)
  }

  @Test func backendsAgree() throws {
    let picture = picture(width: 70, height: 50, seed: 5)
    let results = try backends.map { try upscaler(backend: $0).upscale(picture).wait().samples }

    #expect(maximumDifference(results[0], results[1]) <= Tolerance.backends)
  }

  @Test(arguments: [(1, 1), (1, 9), (7, 5), (64, 1), (17, 16)])
  func enlargesAwkwardSizes(width: Int, height: Int) throws {
    let picture = picture(width: width, height: height, seed: 6)

    let result = try upscaler(tiling: .side(16)).upscale(picture).wait()

    #expect(result.width == 4 * width)
    #expect(result.height == 4 * height)
    let isInRange = result.samples.allSatisfy { (0...1).contains($0) }
    #expect(isInRange)
  }

  // MARK: Several frames

  @Test func framesKeepTheirOwnPictures() throws {
    let pictures = (0..<6).map { picture(width: 40, height: 24, seed: 10 + $0) }
    let alone = try upscaler().upscaleAll(pictures, inFlight: 1)

    let together = try upscaler(workers: 3, tiling: .side(16)).upscaleAll(pictures, inFlight: 6)

    for frame in pictures.indices {
      for other in pictures.indices {
        let difference = maximumDifference(together[frame].samples, alone[other].samples)
        #expect((difference <= Tolerance.tiling) == (frame == other), "\(frame) and \(other)")
      }
    }
  }

  @Test func sizesMayChangeBetweenFrames() throws {
    let sizes = [(40, 24), (24, 40), (40, 24), (9, 5), (70, 50)]
    let pictures = sizes.enumerated().map {
      picture(width: $0.element.0, height: $0.element.1, seed: 20 + UInt64($0.offset))
    }
    let expected = try pictures.map { try upscaler(tiling: .side(32)).upscale($0).wait() }

    let actual = try upscaler(workers: 2, tiling: .side(32)).upscaleAll(pictures, inFlight: 5)

    for (one, other) in zip(actual, expected) {
      #expect(one.width == other.width && one.height == other.height)
      #expect(differingSamples(one, other) == 0)
    }
  }

  @Test func finishesWhatIsInFlightWhenItGoes() throws {
    let picture = picture(width: 40, height: 24, seed: 30)
    let expected = try upscaler().upscale(picture).wait()
    var upscaler: Upscaler? = try upscaler()
    let pending = try (0..<3).map { _ in try upscaler?.upscale(picture) }

    upscaler = nil

    for image in pending { #expect(try differingSamples(image?.wait(), expected) == 0) }
  }

  @Test func laterFramesDoNotOverwriteAResultInUse() throws {
    let upscaler = try upscaler()
    let first = try upscaler.upscale(picture(width: 24, height: 16, seed: 40)).wait()
    let before = first.samples

    for seed in 41..<44 as Range<UInt64> {
      _ = try upscaler.upscale(picture(width: 24, height: 16, seed: seed)).wait()
    }

    #expect(maximumDifference(first.samples, before) == 0)
  }

  // MARK: The picture

  @Test(arguments: [1, 1 << 32] as [UInt64])
  func seedChangesThePictureALittle(seed: UInt64) throws {
    let picture = picture(width: 32, height: 32, seed: 50)
    let one = try upscaler(seed: 0).upscale(picture).wait()

    let other = try upscaler(seed: seed).upscale(picture).wait()

    #expect(differingSamples(one, other) > one.samples.count / 10)
    let sum = zip(one.samples, other.samples).reduce(0) { $0 + abs($1.0 - $1.1) }
    #expect(sum / Float(one.samples.count) < 0.05)
  }

  @Test(arguments: [0.25, 0.5, 0.75] as [Float])
  func flatGreyStaysFlat(level: Float) throws {
    let picture = image(width: 48, height: 48) { _, _, _ in level }

    let samples = try upscaler().upscale(picture).wait().samples

    let mean = samples.reduce(0, +) / Float(samples.count)
    #expect(abs(mean - level) < 0.01)
    // Less than what one sees: five steps of 8 bits.
    let deviation = samples.map { abs($0 - level) }.max() ?? .infinity
    #expect(deviation < 0.02)
  }

  // Averaged over blocks of 4 × 4, the result is the picture again.
  @Test func resultShowsThePicture() throws {
    let picture = image(width: 48, height: 32) { plane, x, y in
      plane == 0 ? Float(x) / 47 : plane == 1 ? Float(y) / 31 : 0.5
    }

    let result = try upscaler().upscale(picture).wait()

    let reduced = image(width: 48, height: 32) { plane, x, y in
      (0..<16).reduce(0) { sum, i in
        sum + result.plane(plane)[(4 * y + i / 4) * result.stride + 4 * x + i % 4] / 16
      }
    }
    #expect(maximumDifference(reduced.samples, picture.samples) < 0.05)
  }
}

// MARK: - Threads that the system does not start

extension UpscalerTests {
  @Test func tooFewThreadsAreAnErrorThatSaysWhatHelps() async {
    await #expect(processExitsWith: .success) {
      // No address space has room for such a stack.
      try setStackSizeOfThreads(1 << 47)
      let reason = "Resource temporarily unavailable; --threads takes fewer"
      let error = EngineError.backend(operation: "3 threads", reason: reason)

      var options = Upscaler.Options()
      options.workers = 3
      #expect(throws: error) { try Upscaler(model: Model(named: "fast"), options: options) }
      #expect(throws: error) { try MachinePeak.measure(threads: 3, precision: .float32) }
    }
  }
}

/// Sets the default of the process by an extension of glibc that Swift does not see.
private func setStackSizeOfThreads(_ byteCount: Int) throws {
  typealias Set = @convention(c) (UnsafePointer<pthread_attr_t>) -> Int32
  let set = try #require(dlsym(nil, "pthread_setattr_default_np"))
  withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { memory in
    let attributes = memory.baseAddress.unsafelyUnwrapped
    pthread_attr_init(attributes)
    pthread_attr_setstacksize(attributes, byteCount)
    #expect(unsafeBitCast(set, to: Set.self)(attributes) == 0)
  }
}

// MARK: - Pictures

extension UpscalerTests {
  private func upscaler(
    workers: Int = 1,
    tiling: Upscaler.Tiling = .automatic,
    backend: any Backend = OneDNNBackend(),
    seed: UInt64 = 0,
  ) throws -> Upscaler {
    var options = Upscaler.Options()
    options.workers = workers
    options.tiling = tiling
    options.backend = backend
    options.seed = seed
    return try Upscaler(model: Model(named: "fast"), options: options)
  }

  private func picture(width: Int, height: Int, seed: UInt64) -> Image {
    var random = SeededGenerator(seed: seed)
    return image(width: width, height: height) { _, _, _ in Float.random(in: 0...1, using: &random)
    }
  }

  private func image(
    width: Int,
    height: Int,
    _ sample: (_ plane: Int, _ x: Int, _ y: Int) -> Float,
  ) -> Image {
    let image = Image(width: width, height: height)
    for plane in 0..<Image.planeCount {
      for y in 0..<height {
        for x in 0..<width { image.plane(plane)[y * image.stride + x] = sample(plane, x, y) }
      }
    }
    return image
  }

  /// How many samples differ in any bit; all of them when the sizes do or an image is missing.
  private func differingSamples(_ a: Image?, _ b: Image) -> Int {
    guard let a, a.width == b.width, a.height == b.height else { return .max }
    return zip(a.samples, b.samples).count { $0.bitPattern != $1.bitPattern }
  }
}

extension Image {
  /// The samples without the padding of rows.
  fileprivate var samples: [Float] {
    (0..<Image.planeCount).flatMap { index in
      (0..<height).flatMap { row in
        UnsafeBufferPointer(start: plane(index) + row * stride, count: width)
      }
    }
  }
}

extension Upscaler {
  /// Enlarges pictures in order, with up to `inFlight` begun and not yet waited for.
  fileprivate func upscaleAll(_ pictures: [Image], inFlight: Int) throws -> [Image] {
    var pending: [PendingImage] = []
    var results: [Image] = []
    for picture in pictures {
      if pending.count == inFlight { results.append(try pending.removeFirst().wait()) }
      pending.append(try upscale(picture))
    }
    return try results + pending.map { try $0.wait() }
  }
}

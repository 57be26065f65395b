import TestSupport
import Testing

@testable import Engine

@Suite struct ReuseTests {
  private static let fixtures = repositoryRoot + "Tests/EngineTests/Fixtures/"
  private static let allBackends: [any Backend] =
    backends + (floatPrecisions.dropFirst() + [.int8]).map { OneDNNBackend(precision: $0) }

  @Test(arguments: 0..<allBackends.count, [1, 3])
  func partsThatAreReusedKeepTheirBits(backend: Int, workers: Int) throws {
    let frames = Self.screen(count: 8)
    var options = Upscaler.Options()
    options.backend = Self.allBackends[backend]
    options.workers = workers
    let upscaler = try Upscaler(model: Model(named: "fast"), options: options)
    let reused = try upscaler.results(for: frames)
    options.reusesUnchanged = false
    let anew = try Upscaler(model: upscaler.model, options: options).results(for: frames)

    #expect(zip(reused, anew).allSatisfy { $0.hasSameSamples(as: $1) })
    // The first frame is new, and of each other one nearly all is as it was.
    let graph = upscaler.model.network.graph(height: 64, width: 64)
    let expected = options.backend.isExactInParts(graph) ? 0.6...7 / 8.0 : 0...0
    #expect(expected.contains([upscaler].reusedShare))
  }

  @Test(arguments: [(190, 130), (97, 203), (301, 60)])
  func everyPlaceMayChange(size: (width: Int, height: Int)) throws {
    let model = try Model(named: "fast")
    let (right, bottom) = (size.width - 1, size.height - 1)
    let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)]
    var random = SeededGenerator(seed: 3)
    let anywhere = (0..<6).map { _ in
      (Int.random(in: 0...right, using: &random), Int.random(in: 0...bottom, using: &random))
    }
    let frames = (corners + anywhere).map { Self.gray(size.width, size.height, except: $0) }
    let upscaler = try Upscaler(model: model)
    let reused = try upscaler.results(for: frames)
    for (frame, result) in zip(frames, reused) {
      #expect(result.hasSameSamples(as: try Upscaler(model: model).upscale(frame).wait()))
    }
    #expect([upscaler].reusedShare > 0)
  }

  @Test func picturesThatMoveAreComputedWhole() throws {
    let upscaler = try Upscaler(model: Model(named: "fast"))
    _ = try upscaler.results(for: (0..<3).map { Self.noise(seed: $0) })
    #expect([upscaler].reusedShare == 0)
  }

  @Test func anEqualPictureTakesTheResult() throws {
    let upscaler = try Upscaler(model: Model(named: "fast"))
    let results = try upscaler.results(for: [Self.noise(seed: 1), Self.noise(seed: 1)])
    #expect(results[0] === results[1] && [upscaler].reusedShare == 0.5)
  }

  @Test func sizesMayChangeInBetween() throws {
    let frames = [(150, 110), (150, 110), (110, 150), (110, 150), (150, 110)]
      .map { Self.gray($0.0, $0.1, except: ($0.0 / 2, 3)) }
    let upscaler = try Upscaler(model: Model(named: "fast"))
    let results = try upscaler.results(for: frames)
    #expect(results.map(\.width) == frames.map { 4 * $0.width })
    #expect([upscaler].reusedShare == 0.4)
  }

  // What each of these makes of an equal part is not the same in every frame, or not sure to be.
  @Test func nothingIsReusedWhereBitsMayDiffer() throws {
    var perFrame = Upscaler.Options()
    perFrame.noise = .perFrame
    var paper = Upscaler.Options()
    paper.blending = .paper
    for options in [perFrame, paper] {
      let upscaler = try Upscaler(model: Model(named: "fast"), options: options)
      _ = try upscaler.results(for: [Self.gray(150, 110), Self.gray(150, 110, except: (9, 9))])
      #expect([upscaler].reusedShare == 0)
    }
  }

  /// A worker that is done with a part of a frame goes on with the next; who ends the frame before copies the rest.
  @Test(.timeLimit(.minutes(1)))
  func nobodyWaitsForTheFrameBefore() throws {
    let model = try Model(named: "fast")
    let options = Upscaler.Options()
    let work = try WorkPlan(model: model, width: 240, height: 140, options: options)
    let whole = try FramePlan(work, model: model, options: options)
    let plan = try FramePlan(
      patchesOf: work,
      results: whole.results,
      model: model,
      options: options
    )
    let patches = try #require(work.patches)
    let images = [Self.gray(240, 140), Self.gray(240, 140, except: (9, 9))]
    let tiles = try #require(patches.patches(from: images[0], to: images[1], limit: 4))

    let first = FrameJob(image: images[0], plan: whole, number: 0)
    let second = try FrameJob(
      image: images[1],
      plan: #require(plan),
      number: 1,
      tiles: tiles,
      before: first
    )
    for _ in tiles { second.finishTile(nil) }
    for _ in whole.tiles { first.finishTile(nil) }
    #expect(try second.pending.wait() !== first.pending.wait())
  }

  @Test func memoryComesFirst() throws {
    let model = try Model(named: "fast")
    var options = Upscaler.Options()
    let rich = try WorkPlan(model: model, width: 150, height: 110, options: options)
    options.memory = rich.byteCount - 1
    let poor = try WorkPlan(model: model, width: 150, height: 110, options: options)
    #expect(rich.patches != nil && poor.patches == nil)
  }

  @Test(arguments: ["srvgg-x4.pth", "span-x4.pth", "rrdb-x2.pth"])
  func otherNetworksKeepTheirBitsToo(file: String) throws {
    let model = try Model(named: Self.fixtures + file)
    let frames = Self.screen(count: 3)
    var options = Upscaler.Options()
    let reused = try Upscaler(model: model, options: options).results(for: frames)
    options.reusesUnchanged = false
    let anew = try Upscaler(model: model, options: options).results(for: frames)
    #expect(zip(reused, anew).allSatisfy { $0.hasSameSamples(as: $1) })
  }

  // MARK: Pictures

  /// A still picture of noise in which a small square moves.
  private static func screen(count: Int) -> [Image] {
    (0..<count).map { index in
      let frame = noise(seed: 7)
      for plane in 0..<Image.planeCount {
        for row in 0..<4 {
          for column in 0..<6 {
            frame.plane(plane)[(20 + row) * frame.stride + 10 + 20 * index + column] = 1
          }
        }
      }
      return frame
    }
  }

  private static func noise(seed: UInt64) -> Image {
    var random = SeededGenerator(seed: seed)
    let image = Image(width: 240, height: 140)
    for plane in 0..<Image.planeCount {
      for row in 0..<image.height {
        for column in 0..<image.width {
          image.plane(plane)[row * image.stride + column] = Float.random(in: 0...1, using: &random)
        }
      }
    }
    return image
  }

  private static func gray(
    _ width: Int,
    _ height: Int,
    except place: (x: Int, y: Int)? = nil,
  ) -> Image {
    let image = Image(width: width, height: height)
    for plane in 0..<Image.planeCount {
      image.plane(plane).update(repeating: 0.5, count: image.stride * height)
      if let place { image.plane(plane)[place.y * image.stride + place.x] = 0.9 }
    }
    return image
  }
}

extension Upscaler {
  /// The results for frames in order, up to four at a time.
  fileprivate func results(for frames: [Image]) throws -> [Image] {
    var pending: [PendingImage] = []
    var results: [Image] = []
    for frame in frames {
      if pending.count == 4 { results.append(try pending.removeFirst().wait()) }
      pending.append(try upscale(frame))
    }
    return try results + pending.map { try $0.wait() }
  }
}

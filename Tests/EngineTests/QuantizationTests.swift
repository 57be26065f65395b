import Foundation
import TestSupport
import Testing

@testable import Engine

/// From pictures to a model in 8 bits, and what that keeps.
@Suite struct QuantizationTests {
  // MARK: Which values are stored in 8 bits

  private static let shape = Shape(height: 9, width: 11, channels: 16)

  @Test func storesWhatOnlySuchConvolutionsRead() {
    var graph = Graph()
    let head = graph.convolution(graph.input(Self.shape), Self.convolution())
    let body = graph.convolution(head, Self.convolution(integer: true))
    let sum = graph.convolution(body, Self.convolution(integer: true), addTo: head)
    let tail = graph.convolution(sum, Self.convolution(integer: true))
    graph.output = graph.convolution(tail, Self.convolution())
    let types = graph.sampleTypes(for: .int8)
    #expect([head, body, sum].map { types[$0.index].byteCount } == [1, 1, 1])
    #expect(types[tail.index] == .float32, "read by a convolution without factors")
    #expect(graph.output.map { types[$0.index] } == .float32)
    #expect(graph.sampleTypes(for: .float32).allSatisfy { $0 == .float32 })
  }

  @Test func storesConcatenationsOfSinglePrecision() {
    var graph = Graph()
    let parts = [graph.input(Self.half), graph.input(Self.half)]
    let both = graph.concatenation(parts)
    let body = graph.convolution(both, Self.convolution(integer: true))
    graph.output = graph.convolution(body, Self.convolution())
    let types = graph.sampleTypes(for: .int8)
    #expect(types[both.index].byteCount == 1 && parts.allSatisfy { types[$0.index] == .float32 })
    #expect(types[body.index] == .float32)

    let sum = graph.convolution(both, Self.convolution(), addTo: both)
    graph.output = sum
    #expect(graph.sampleTypes(for: .int8).allSatisfy { $0 == .float32 }, "read by another one")
  }

  private static let half = Shape(height: 9, width: 11, channels: 8)

  // Channels before, in and after whole vectors of every instruction set.
  @Test(arguments: [[48, 3], [1, 16, 5], [7], [3, 64]])
  func concatenationsStoreTheNearestSteps(channels: [Int]) throws {
    var random = SeededGenerator(seed: 8)
    let count = channels.reduce(0, +)
    let steps = Steps(
      sizes: (0..<count).map { 0.01 + 0.001 * Float($0) },
      zeros: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) },
    )
    let shapes = channels.map { Shape(height: 3, width: 5, channels: $0) }
    let samples = shapes.map { random.floats($0.count) }
    var graph = Graph()
    let result = graph.concatenation(shapes.map { graph.input($0) })
    var types = [SampleType](repeating: .float32, count: graph.valueCount)
    types[result.index] = .uint8(steps)
    let backend = OneDNNBackend(precision: .int8)
    let kernel = try graph.operations[0].kernel(in: graph, types: types, rows: 3, backend: backend)

    let guarded = Guarded(count: (15 * count + 3) / 4)
    let tensors = zip(shapes, samples).map { Tensor(shape: $0, samples: $1) }
    try withExtendedLifetime(tensors) {
      try tensors.map { UnsafeRawPointer($0.pointer) }.withUnsafeBufferPointer {
        try kernel.makeRunner().run($0, guarded.samples, first: 0, scratch: guarded.samples)
      }
    }

    #expect(guarded.isIntact)
    let bytes = UnsafeRawPointer(guarded.samples).assumingMemoryBound(to: UInt8.self)
    for pixel in 0..<15 {
      let row = zip(shapes, samples).flatMap { shape, samples in
        samples[(pixel * shape.channels)..<((pixel + 1) * shape.channels)]
      }
      for (channel, sample) in row.enumerated() {
        let wish = Double(sample) / Double(steps.sizes[channel]) + Double(steps.zeros[channel])
        let step = Double(bytes[pixel * count + channel])
        #expect(abs(min(max(wish, 0), 255) - step) < 0.5001)
      }
    }
  }

  @Test func keepsWhatOthersRead() {
    var graph = Graph()
    let head = graph.convolution(graph.input(Self.shape), Self.convolution())
    let body = graph.convolution(head, Self.convolution(integer: true))
    // Its picture keeps its precision, and so does its residual.
    let sum = graph.convolution(body, Self.convolution(), addTo: head)
    graph.output = graph.concatenation([
      sum, graph.convolution(sum, Self.convolution(integer: true)),
    ])
    let types = graph.sampleTypes(for: .int8)
    #expect(types.allSatisfy { $0 == .float32 })
  }

  private static func convolution(integer: Bool = false) -> Convolution {
    var convolution = Convolution(
      inputChannels: 16,
      outputChannels: 16,
      kernel: 1,
      weights: Parameters(Array(repeating: 0.1, count: 256)),
      bias: Array(repeating: 0, count: 16),
    )
    let ones = [Float](repeating: 1, count: 16)
    if integer {
      convolution.integer = IntegerFactors(
        input: Steps(sizes: ones, zeros: Array(repeating: 0, count: 16)),
        weights: Array(repeating: 1, count: 256),
        scales: ones,
        bias: ones,
      )
    }
    return convolution
  }

  // MARK: Rounding

  @Test func pairsOfWeightsAreKeptSmall() {
    let ones = [Float](repeating: 1, count: 1)
    func factors(_ weights: [Int8]) -> IntegerFactors {
      let steps = Steps(
        sizes: Array(repeating: 1, count: weights.count),
        zeros: Array(repeating: 0, count: weights.count),
      )
      return IntegerFactors(input: steps, weights: weights, scales: ones, bias: ones)
    }
    #expect(factors([127, 1, -127, -1]).isExact(inputChannels: 4))
    #expect(factors([1, 127, 127, -127]).isExact(inputChannels: 4), "pairs begin at even channels")
    #expect(!factors([127, 2, 0, 0]).isExact(inputChannels: 4))
    #expect(!factors([0, 0, -65, -64]).isExact(inputChannels: 4))
    #expect(factors([0, 0, 127]).isExact(inputChannels: 3))
  }

  @Test func roundingTakesErrorsBackWhereSamplesGoTogether() throws {
    // Two channels that are always alike: only the sum of their weights counts.
    let convolution = Convolution(
      inputChannels: 2,
      outputChannels: 1,
      kernel: 1,
      weights: [0.3, 0.1],
      bias: [0],
    )
    var random = SeededGenerator(seed: 1)
    var samples = LayerSamples(convolution)
    let shape = Shape(height: 32, width: 32, channels: 2)
    let pixels = random.floats(1024).flatMap { [$0, $0] }
    try pixels.withUnsafeBufferPointer {
      try samples.add($0.baseAddress.unsafelyUnwrapped, shape)
    }
    let factors = try samples.factors()
    #expect(factors.isExact(inputChannels: 2))
    let sum = (0..<2).reduce(0) {
      $0 + Float(factors.weights[$1]) * factors.scales[0] / factors.input.sizes[$1]
    }
    #expect(abs(sum - 0.4) < 0.4 / 256)
  }

  // MARK: A whole model

  private static let pictures = (0..<3).map { (seed: Int) -> Image in
    var random = SeededGenerator(seed: UInt64(seed))
    let image = Image(pattern: seed, width: 320, height: 288)
    for index in 0..<Image.planeCount {
      // Edges and a little noise, as real pictures have them.
      for y in 0..<image.height {
        for x in 0..<image.width {
          let edge: Float = (x / (23 + 9 * seed) + y / 31) % 2 == 0 ? 0.15 : -0.15
          let sample = image.plane(index)[y * image.stride + x] * 0.7 + 0.15 + edge
          image.plane(index)[y * image.stride + x] =
            sample + Float.random(in: -0.01...0.01, using: &random)
        }
      }
    }
    return image
  }

  @Test func aQuantizedModelIsNearAndKeepsItsBits() throws {
    let folder = try TemporaryFolder()
    let store = try WeightStore(modelNamed: "fast")
    let model = try Model(named: "fast", store)
    let quantized = try QuantizedModel(model, pictures: Self.pictures)
    #expect(quantized.fidelity > 45 && abs(quantized.loss) < 0.1)

    let path = folder.path("q.safetensors")
    try write(quantized.file([store], metadata: model.card), to: path)
    let read = try Model(named: path)
    #expect(
      read.hasIntegerFactors && read.integerLoss.map { abs($0 - quantized.loss) < 0.001 } == true
    )
    #expect(try ModelReport(named: path).parameters == ModelReport(named: "fast").parameters)

    let images = try [(quantized.model, 1), (quantized.model, 2), (read, 2)].map { model, workers in
      var options = Upscaler.Options()
      options.backend = OneDNNBackend(precision: .int8)
      options.workers = workers
      options.tiling = .side(40)
      return try Upscaler(model: model, options: options).upscale(Self.pictures[0]).wait()
    }
    #expect(images[1].hasSameSamples(as: images[0]) && images[2].hasSameSamples(as: images[0]))
  }

  // With VNNI and without it.
  @Test(.enabled(if: Machine.kernelLevel != "baseline", "8 bits are fast from AVX2 on"))
  func whatLosesLittleRunsInEightBits() throws {
    #expect(try Model(named: "fast").fastestPrecision == .int8)
  }

  /// Blocks of two pixels, in pictures of which no side has whole ones.
  @Test(arguments: [9, 101, 131])
  func calibratesWithWholeBlocksOfAPicture(side: Int) throws {
    let file = repositoryRoot + "Tests/EngineTests/Fixtures/rrdb-x2.pth"
    try expectCalibration(of: RRDBNetwork(WeightStore(path: file)), side: side)
  }

  /// Windows of 64 pixels, and a picture that is smaller than one.
  @Test(.enabled(if: SharedFolder.fixtures.isExpected), arguments: [33, 65])
  func calibratesWithWholeWindowsOfAPicture(side: Int) throws {
    let file = try SharedFolder.fixtures.path("ctmsr-tiny/ctmsr.pth")
    try expectCalibration(of: CTMSR(WeightStore(path: file)), side: side)
  }

  // Beside what the layers see, where only the measured loss does.
  @Test(arguments: [Float.infinity, .nan])
  func refusesPicturesWithoutNumbers(sample: Float) throws {
    let picture = Image(pattern: 0, width: 700, height: 700)
    picture.plane(1)[picture.stride * 20 + 20] = sample
    let model = try Model(named: "fast")
    expectModelError("pictures of numbers") { try QuantizedModel(model, pictures: [picture]) }
  }

  // ESRGAN's network has 276 layers of 64 to 192 channels, which would keep 20 GB.
  @Test func keepsSamplesWithinBounds() throws {
    let network = try Model(named: "fast").network
    let few = Calibration(network, pictures: 64)
    #expect(few.pixelsPerPicture == LayerSamples.usualPixelsPerPicture)
    let many = Calibration(network, pictures: 10_000)
    #expect((1..<100).contains(many.pixelsPerPicture))
  }

  @Test func refusesLayersThatOverflow() throws {
    let picture = Image(pattern: 0, width: 300, height: 300)
    for index in 0..<(picture.stride * 300) { picture.plane(0)[index] = 1e38 }
    let model = try Model(named: "fast")
    expectModelError("too large for numbers") { try QuantizedModel(model, pictures: [picture]) }
  }

  private func expectCalibration(of network: any Network, side: Int) throws {
    var calibration = Calibration(network)
    let picture = Image(pattern: 0, width: side, height: side)
    #expect(throws: Never.self) { try calibration.add(picture) }
  }

  @Test func refusesFactorsThatDoNotFit() throws {
    let folder = try TemporaryFolder()
    let store = try WeightStore(modelNamed: "fast")
    let channels = 48
    func tensors(_ change: (inout [AddedTensor]) -> Void) -> [AddedTensor] {
      var tensors = [
        AddedTensor("int8.1.scale", Array(repeating: 1, count: channels)),
        AddedTensor("int8.1.bias", Array(repeating: 0, count: channels)),
        AddedTensor("int8.1.step", Array(repeating: 1, count: channels)),
        AddedTensor("int8.1.zero", .uint8, Array(repeating: 9, count: channels)),
        AddedTensor("int8.1.weight", .int8, Array(repeating: 1, count: channels * channels * 9)),
      ]
      change(&tensors)
      return tensors
    }
    let count = channels * channels * 9
    let faults: [(words: String, tensors: [AddedTensor])] = [
      ("is missing", tensors { $0.removeFirst() }),
      ("has the shape", tensors { $0[1] = AddedTensor("int8.1.bias", [1]) }),
      (
        "without a size",
        tensors { $0[2] = AddedTensor("int8.1.step", Array(repeating: 0, count: channels)) }
      ),
      ("is not 48 elements", tensors { $0[3] = AddedTensor("int8.1.zero", .uint8, [1]) }),
      (
        "is not 20736 elements of I8",
        tensors { $0[4] = AddedTensor("int8.1.weight", .uint8, Array(repeating: 1, count: count)) }
      ),
      (
        "too large for exact sums",
        tensors { $0[4] = AddedTensor("int8.1.weight", .int8, Array(repeating: 100, count: count)) }
      ),
    ]
    for fault in [("", tensors { _ in })] + faults {
      let path = folder.path("m.safetensors")
      let file = try SafetensorsFile(
        [store],
        replacing: "int8.",
        with: fault.tensors,
        metadata: store.metadata
      )
      try write(file, to: path)
      if fault.words.isEmpty {
        #expect(try Model(named: path).hasIntegerFactors)
      } else {
        let error = #expect(throws: EngineError.self) { try Model(named: path) }
        #expect("\(error, default: "none")".contains(fault.words))
      }
    }
  }

  private func write(_ file: SafetensorsFile, to path: String) throws {
    var bytes: [UInt8] = []
    try file.forEachPiece { bytes += $0 }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }
}

import TestSupport
import Testing

@testable import Engine

/// Layers compute only the rows that lead to a core, with the same bits as in the whole window.
@Suite struct RowPlanTests {
  private static let fixtures = repositoryRoot + "Tests/EngineTests/Fixtures/"
  private static let window = (height: 46, width: 22)
  private static let cores = [0..<12, 17..<29, 20..<29, 34..<46]
  private static let precisions: [Precision] = floatPrecisions + [.int8]

  @Test(arguments: ["fast", "srvgg-x4.pth", "span-x4.pth", "rrdb-x2.pth"], precisions)
  func coresKeepTheirBits(model: String, precision: Precision) throws {
    let network = try Model(named: model == "fast" ? model : Self.fixtures + model).network
    let graph = network.graph(height: Self.window.height, width: Self.window.width)
    let inputs = Self.inputs(of: graph)
    // Strips of few rows have all kinds of edges.
    let backend = OneDNNBackend(precision: precision, stripBudget: 5 * 22 * 48 * 4)
    let expected = try Self.output(of: backend.compile(graph), inputs)
    let compiled = try backend.compile(graph, cores: Self.cores)
    let row = expected.count / Self.window.height
    for core in Self.cores {
      let found = try Self.output(of: compiled, inputs, core: core)
      let samples = (core.lowerBound * row)..<(core.upperBound * row)
      #expect(samples.allSatisfy { found[$0].bitPattern == expected[$0].bitPattern })
    }
  }

  @Test(arguments: ["fast", "srvgg-x4.pth", "span-x4.pth", "rrdb-x2.pth"], precisions)
  func rowsThatAreHandedOverKeepTheirBits(model: String, precision: Precision) throws {
    let network = try Model(named: model == "fast" ? model : Self.fixtures + model).network
    var graph = network.graph(height: Self.window.height, width: Self.window.width)
    let inputs = Self.inputs(of: graph)
    let backend = OneDNNBackend(precision: precision)
    let expected = try Self.output(of: backend.compile(graph), inputs)
    graph.isHandedOver = true
    let program = try Program(backend.compile(graph, cores: Self.cores))
    let row = program.graph.outputShape.width * program.graph.outputShape.channels
    for core in Self.cores {
      var found = [Float](repeating: .nan, count: expected.count)
      try program.run(inputs, core: core) { rows, output in
        for index in 0..<(rows.count * row) { found[rows.lowerBound * row + index] = output[index] }
      }
      let wanted = (core.lowerBound * network.scale * row)..<(core.upperBound * network.scale * row)
      #expect(wanted.allSatisfy { found[$0].bitPattern == expected[$0].bitPattern })
    }
  }

  /// Kernels that are asked for some rows write these and, but for large kernels, no others.
  @Test(arguments: [1, 3, 5], 0..<backends.count)
  func convolutionsComputeTheirRowsAlone(kernel: Int, backend: Int) throws {
    var random = SeededGenerator(seed: 9)
    let input = Shape(height: 23, width: 8, channels: 16)
    let convolution = Convolution(
      inputChannels: 16,
      outputChannels: 16,
      kernel: kernel,
      weights: Parameters(random.floats(16 * 16 * kernel * kernel)),
      bias: random.floats(16),
    )
    let picture = Tensor(shape: input, samples: random.floats(input.count))
    var step = ConvolutionStep(convolution: convolution, input: input)
    let whole = try Self.result(of: step, backends[backend], picture, first: 0)
    step.rows = 7
    let row = input.width * 16
    for first in [0, 1, 2, 8, 15, 16] {
      let found = try Self.result(of: step, backends[backend], picture, first: first)
      let wanted = (first * row)..<((first + 7) * row)
      #expect(wanted.allSatisfy { abs(found[$0] - whole[$0]) < 1e-3 })
      let others = found.indices.filter { !wanted.contains($0) }
      let isWhole = kernel == 5 && backends[backend] is OneDNNBackend
      #expect(others.allSatisfy { found[$0].isNaN } != isWhole)
    }
  }

  @Test func layersComputeWhatTheLaterOnesLookAt() throws {
    let graph = try Model(named: "fast").network.graph(height: 60, width: 30)
    let plan = RowPlan(graph, cores: [20..<40])
    let layers = graph.operations.filter { !$0.kind.convolutions.isEmpty }
    #expect(layers.map { plan[$0.result].count } == (0...13).map { 20 + 2 * (13 - $0) })
    #expect(layers.map { plan[$0.result].first(around: 20..<40) } == (0...13).map { 20 - 13 + $0 })
    #expect(plan[graph.inputs[0]].count == 60 - 2 * 4)
    let least = graph.multiplyAddCount(cores: [20..<40])
    #expect(Double(least) / Double(graph.multiplyAddCount) < 0.57)
  }

  @Test func atAnEdgeAsManyRowsAsElsewhere() throws {
    let graph = try Model(named: "fast").network.graph(height: 60, width: 30)
    let plan = RowPlan(graph, cores: [0..<20, 20..<40, 40..<60])
    let first = graph.operations.first { !$0.kind.convolutions.isEmpty }
    let span = try plan[#require(first).result]
    #expect([0..<20, 20..<40, 40..<60].map { span.first(around: $0) } == [0, 7, 14])
    #expect(span.count == 46)
  }

  @Test func twoBandsTakeLittleMoreThanTheWhole() throws {
    let model = try Model(named: "fast")
    var options = Upscaler.Options()
    let whole = try WorkPlan(model: model, width: 320, height: 180, options: options)
    options.tiling = .bands(2)
    let bands = try WorkPlan(model: model, width: 320, height: 180, options: options)
    let products = 2 * bands.graph.multiplyAddCount(cores: bands.tiles.cores)
    let ratio = Double(products) / Double(whole.graph.multiplyAddCount)
    #expect((1.07...1.075).contains(ratio))
  }

  /// Of blocks of two rows a core may begin with the second.
  @Test func whatHasFewerRowsIsComputedWhole() {
    var graph = Graph()
    let picture = graph.input(Shape(height: 40, width: 4, channels: 4))
    let activated = graph.activation(picture, .silu)
    let unshuffled = graph.pixelUnshuffle(activated, factor: 2)
    let result = graph.pixelShuffle(unshuffled, factor: 2)
    graph.output = result
    let plan = RowPlan(graph, cores: [11..<29])
    #expect([picture, activated, unshuffled, result].map { plan[$0].count } == [40, 40, 20, 18])
  }

  @Test func whatANormLooksAtIsComputedWhole() {
    var graph = Graph()
    let picture = graph.input(Shape(height: 40, width: 3, channels: 4))
    let ones = [Float](repeating: 1, count: 4)
    let norm = GroupNorm(groups: 2, epsilon: 1e-5, scale: ones, shift: ones)
    let activated = graph.activation(picture, .silu)
    let normed = graph.groupNorm(activated, norm)
    let result = graph.activation(normed, .silu)
    graph.output = result
    let plan = RowPlan(graph, cores: [10..<30])
    #expect([picture, activated, normed, result].map { plan[$0].count } == [40, 40, 20, 20])
  }

  /// The result of a program of its own, in which nothing of another run lies.
  private static func output(
    of graph: CompiledGraph,
    _ inputs: [Tensor],
    core: Range<Int>? = nil,
  ) throws -> [Float] {
    let program = try Program(graph)
    return try withExtendedLifetime(program) {
      let output = try program.run(inputs, core: core)
      return (0..<graph.outputShape.count).map { output[$0] }
    }
  }

  /// What a kernel writes into memory without numbers.
  private static func result(
    of step: ConvolutionStep,
    _ backend: any Backend,
    _ picture: Tensor,
    first: Int,
  ) throws -> [Float] {
    let kernel = try backend.kernel(for: step)
    let result = Tensor(shape: step.output)
    result.samples.update(repeating: .nan)
    let floats = kernel.scratchByteCount / MemoryLayout<Float>.size + 1
    let scratch = Tensor(shape: Shape(height: 1, width: 1, channels: floats))
    try [UnsafeRawPointer(picture.pointer)].withUnsafeBufferPointer {
      try kernel.makeRunner().run($0, result.pointer, first: first, scratch: scratch.pointer)
    }
    return withExtendedLifetime(scratch) { Array(result.samples) }
  }

  private static func inputs(of graph: Graph) -> [Tensor] {
    var random = SeededGenerator(seed: 11)
    return graph.inputs.map { graph.shape(of: $0) }
      .map { Tensor(shape: $0, samples: random.floats($0.count)) }
  }
}

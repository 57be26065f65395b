/// A graph that is ready to run on any number of threads, each with a ``Program`` of its own.
public final class CompiledGraph: Sendable {
  struct Step: Sendable {
    let name: String
    let kernel: any Kernel
    let operands: [Location]
    let result: Location
    let scratchOffset: Int
    let rows: RowPlan.Span
  }

  /// Where a value lies while the program runs.
  enum Location: Equatable, Sendable {
    case arena(byteOffset: Int)
    case input(Int)
  }

  /// The size of the memory that each program allocates, in bytes.
  public let arenaByteCount: Int

  /// The sizes of the inputs, in order.
  public let inputShapes: [Shape]

  /// The size of the output.
  public let outputShape: Shape

  /// Multiplications with addition in the convolutions of one run.
  public let multiplyAddCount: Int

  let steps: [Step]
  let output: Location

  /// Whether there is no room for the output as a whole.
  let isHandedOver: Bool

  /// The rows of the first input whose output a run may be asked for; none for all rows.
  let cores: [Range<Int>]

  init(_ graph: Graph, cores: [Range<Int>], backend: some Backend) throws(EngineError) {
    guard let output = graph.output else { preconditionFailure("the graph has an output") }
    let graph = graph.fused
    let rows = RowPlan(graph, cores: cores)
    let types = graph.sampleTypes(for: backend.precision)
    let kernels = try graph.operations.map { (operation) throws(EngineError) in
      let count = rows[operation.result].count
      return try operation.kernel(in: graph, types: types, rows: count, backend: backend)
    }
    let scratch = kernels.map(\.scratchByteCount)
    let layout = Layout(graph, output: output, types: types, scratch: scratch)
    steps = graph.operations.indices.map { index in
      let operation = graph.operations[index]
      return Step(
        name: operation.kind.name,
        kernel: kernels[index],
        operands: operation.operands.map { layout.locations[$0.index] },
        result: layout.locations[operation.result.index],
        scratchOffset: layout.scratchOffsets[index],
        rows: rows[operation.result],
      )
    }
    self.output = layout.locations[output.index]
    isHandedOver = graph.isHandedOver
    arenaByteCount = layout.byteCount
    inputShapes = graph.inputs.map { graph.shape(of: $0) }
    outputShape = graph.shape(of: output)
    multiplyAddCount = graph.multiplyAddCount(cores: cores)
    self.cores = cores
  }
}

/// The memory plan of a graph: its values, then the scratch memory of its steps.
private struct Layout {
  let locations: [CompiledGraph.Location]
  let scratchOffsets: [Int]
  let byteCount: Int

  init(_ graph: Graph, output: Graph.Value, types: [SampleType], scratch: [Int]) {
    let plan = graph.memoryPlan(output: output, types: types, scratch: scratch)
    var locations = [CompiledGraph.Location](
      repeating: .arena(byteOffset: 0),
      count: graph.valueCount,
    )
    for (index, input) in graph.inputs.enumerated() { locations[input.index] = .input(index) }
    for (operation, offset) in zip(graph.operations, plan.offsets) {
      locations[operation.result.index] = .arena(byteOffset: offset)
    }
    self.locations = locations
    scratchOffsets = Array(plan.offsets.dropFirst(graph.operations.count))
    byteCount = plan.byteCount
  }
}

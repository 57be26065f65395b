/// The memory that a graph takes once it is compiled, known before that.
struct GraphMemory: Hashable, Sendable {
  /// What each program takes for values and scratch memory, in bytes.
  let arenaByteCount: Int

  /// The repacked weights of all programs together, in bytes.
  let weightByteCount: Int

  /// The weights of the largest layer as floats, in bytes: several copies exist while it is repacked.
  let layerByteCount: Int

  /// Measures a graph with an output, for windows with these cores.
  init(
    _ graph: Graph,
    cores: [Range<Int>] = [],
    backend: some Backend,
  ) throws(EngineError) {
    guard let output = graph.output else { preconditionFailure("the graph has an output") }
    let graph = graph.fused
    let rows = RowPlan(graph, cores: cores)
    let types = graph.sampleTypes(for: backend.precision)
    let kernels = try graph.operations.map { (operation) throws(EngineError) in
      let count = rows[operation.result].count
      return try operation.memory(in: graph, types: types, rows: count, backend: backend)
    }
    let scratch = kernels.map(\.scratchByteCount)
    arenaByteCount = graph.memoryPlan(output: output, types: types, scratch: scratch).byteCount
    weightByteCount = kernels.reduce(0) { $0 + $1.weightByteCount }
    layerByteCount =
      graph.operations.flatMap(\.kind.convolutions).map(\.weights.count).max()
      .map { $0 * MemoryLayout<Float>.size } ?? 0
  }
}

extension Operation {
  fileprivate func memory(
    in graph: Graph,
    types: [SampleType],
    rows: Int,
    backend: some Backend,
  ) throws(EngineError) -> KernelMemory {
    switch kind {
    case .convolution(let convolution, _):
      return try backend.memory(of: step(convolution, in: graph, types: types, rows: rows))
    case .enlargedConvolution(let convolution):
      let step = step(convolution, in: graph, types: types)
      return try EnlargedConvolutionKernel.memory(of: step, backend: backend)
    default:
      let kernel = try kernel(in: graph, types: types, rows: rows, backend: backend)
      return KernelMemory(scratchByteCount: kernel.scratchByteCount, weightByteCount: 0)
    }
  }
}

/// The memory that a graph takes once it is compiled, known before that.
struct GraphMemory: Hashable, Sendable {
  /// What each program takes for values and scratch memory, in bytes.
  let arenaByteCount: Int

  /// The repacked weights of all programs together, in bytes.
  let weightByteCount: Int

  /// The weights of the largest layer as floats, in bytes: several copies exist while it is repacked.
  let layerByteCount: Int

  /// Measures a graph with an output.
  init(_ graph: Graph, backend: some Backend) throws(EngineError) {
    guard let output = graph.output else { preconditionFailure("the graph has an output") }
    let kernels = try graph.operations.map { (operation) throws(EngineError) in
      try operation.memory(in: graph, backend: backend)
    }
    arenaByteCount =
      graph.memoryPlan(output: output, scratch: kernels.map(\.scratchByteCount)).byteCount
    weightByteCount = kernels.reduce(0) { $0 + $1.weightByteCount }
    layerByteCount =
      graph.operations.flatMap(\.kind.convolutions).map(\.weights.count).max()
      .map { $0 * MemoryLayout<Float>.size } ?? 0
  }
}

extension Operation {
  fileprivate func memory(
    in graph: Graph,
    backend: some Backend,
  ) throws(EngineError) -> KernelMemory {
    let x = graph.shape(of: operands[0])
    return switch kind {
    case .convolution(let convolution, _): try backend.memory(of: convolution, input: x)
    case .enlargedConvolution(let convolution):
      try EnlargedConvolutionKernel.memory(of: convolution, input: x, backend: backend)
    default:
      KernelMemory(
        scratchByteCount: try kernel(in: graph, backend: backend).scratchByteCount,
        weightByteCount: 0,
      )
    }
  }
}

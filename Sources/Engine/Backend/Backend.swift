/// A library that runs graphs.
///
/// A backend provides what differs between libraries, the kernels that multiply; the operations that
/// only move samples are the same for all. Nothing above this protocol knows which backend runs.
public protocol Backend: Sendable {
  /// The name on the command line and in reports.
  var name: String { get }

  /// What convolutions multiply.
  var precision: Precision { get }

  /// Whether a convolution gives a pixel the same bits whatever is the size of the picture around its
  /// receptive field.
  func isExactInParts(_ convolution: Convolution) -> Bool

  /// Returns a kernel for a convolution.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the library refuses.
  func kernel(for step: ConvolutionStep) throws(EngineError) -> any Kernel

  /// The memory that the kernel for a convolution takes, found without its weights.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the library refuses.
  func memory(of step: ConvolutionStep) throws(EngineError) -> KernelMemory

  /// Multiplies two matrices.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the library fails.
  func multiply(
    _ product: MatrixProduct,
    _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Float>,
  ) throws(EngineError)
}

/// What a kernel takes.
public struct KernelMemory: Hashable, Sendable {
  /// Temporary memory of a run, in bytes.
  public var scratchByteCount: Int

  /// Repacked weights, in bytes; held once for all programs.
  public var weightByteCount: Int

  /// Memory of this size.
  public init(scratchByteCount: Int, weightByteCount: Int) {
    self.scratchByteCount = scratchByteCount
    self.weightByteCount = weightByteCount
  }
}

/// An operation ready to run: weights repacked, sizes fixed.
///
/// Immutable, shared by all programs.
public protocol Kernel: Sendable {
  /// Temporary memory that a run needs, in bytes.
  var scratchByteCount: Int { get }

  /// Returns what one thread needs to run the kernel.
  func makeRunner() throws(EngineError) -> any KernelRunner
}

/// A kernel bound to one thread; running it allocates nothing.
public protocol KernelRunner {
  /// Computes the result from the operands, in the order of the operation.
  ///
  /// A kernel that computes only some rows of the result begins with row `first`; others compute all.
  func run(
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
    first: Int,
    scratch: UnsafeMutableRawPointer,
  ) throws(EngineError)
}

extension UnsafeRawPointer {
  /// Samples in single precision.
  var floats: UnsafePointer<Float> { assumingMemoryBound(to: Float.self) }
}

extension UnsafeMutableRawPointer {
  /// Samples in single precision.
  var floats: UnsafeMutablePointer<Float> { assumingMemoryBound(to: Float.self) }
}

extension Backend {
  /// Whether all convolutions of a graph are exact in parts.
  func isExactInParts(_ graph: Graph) -> Bool {
    graph.operations.flatMap(\.kind.convolutions).allSatisfy(isExactInParts)
  }

  /// Prepares a graph to run: repacks its weights and lays out its memory.
  public func compile(_ graph: Graph) throws(EngineError) -> CompiledGraph {
    try compile(graph, cores: [])
  }

  /// Prepares a graph to run for parts of its output: those of these rows of the first input, one of the ranges in
  /// each run.
  func compile(_ graph: Graph, cores: [Range<Int>]) throws(EngineError) -> CompiledGraph {
    try CompiledGraph(graph, cores: cores, backend: self)
  }
}

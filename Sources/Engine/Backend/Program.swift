internal import Glibc

/// A compiled graph with the memory to run it, used by one thread at a time.
///
/// Running allocates nothing.
public final class Program {
  /// The graph that runs.
  public let graph: CompiledGraph

  /// The time spent so far in each kind of operation, in seconds, by name.
  public var secondsByOperation: [String: Double] {
    zip(graph.steps, seconds).reduce(into: [:]) { $0[$1.0.name, default: 0] += $1.1 }
  }

  private let arena: UnsafeMutableRawPointer
  private let runners: [any KernelRunner]
  private let operands: [UnsafeMutableBufferPointer<UnsafeRawPointer>]
  private var seconds: [Double]

  /// Allocates the arena and prepares every kernel for the calling thread.
  public init(_ graph: CompiledGraph) throws(EngineError) {
    runners = try graph.steps.map { (step) throws(EngineError) in try step.kernel.makeRunner() }
    self.graph = graph
    arena = .allocateSamples(byteCount: graph.arenaByteCount + 64)
    operands = graph.steps.map { .allocate(capacity: $0.operands.count) }
    seconds = Array(repeating: 0, count: graph.steps.count)
    bindArena()
  }

  deinit {
    for pointers in operands { pointers.deallocate() }
    arena.deallocate()
  }

  /// Runs the graph.
  ///
  /// - Parameter inputs: One tensor for each of the graph's inputs, with its shape.
  /// - Returns: The output in NHWC order; valid until the next run.
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the library fails.
  public func run(_ inputs: Tensor...) throws(EngineError) -> UnsafePointer<Float> {
    try run(inputs)
  }

  /// Runs the graph on one tensor for each of its inputs.
  ///
  /// Of the output only the rows for `core` are computed, one of the cores that the graph was compiled for.
  func run(
    _ inputs: [Tensor],
    core: Range<Int>? = nil,
  ) throws(EngineError) -> UnsafePointer<Float> {
    try run(inputs, core: core) { (_, _) throws(EngineError) in }
  }

  /// Runs the graph on one tensor for each of its inputs.
  ///
  /// `observe` is called before each step, with its number and operands.
  @discardableResult
  func run(
    _ inputs: [Tensor],
    core: Range<Int>? = nil,
    observe: (Int, UnsafeBufferPointer<UnsafeRawPointer>) throws(EngineError) -> Void,
  ) throws(EngineError) -> UnsafePointer<Float> {
    precondition(!graph.isHandedOver, "there is room for the output")
    let core = prepare(inputs, core)
    try withExtendedLifetime(inputs) { () throws(EngineError) in
      for index in graph.steps.indices {
        try observe(index, UnsafeBufferPointer(operands[index]))
        try run(step: index, core)
      }
    }
    return UnsafePointer(pointer(to: graph.output).floats)
  }

  /// Runs the graph, and hands over the rows of the output as they are made: those for `core`, and some around.
  ///
  /// No output is left. It is the result of the last step.
  func run(
    _ inputs: [Tensor],
    core: Range<Int>? = nil,
    handOver: (Range<Int>, UnsafePointer<Float>) -> Void,
  ) throws(EngineError) {
    let core = prepare(inputs, core)
    let last = graph.steps.count - 1
    precondition(graph.steps[last].result == graph.output, "the output is made last")
    try withExtendedLifetime(inputs) { () throws(EngineError) in
      for index in 0..<last { try run(step: index, core) }
      guard let runner = runners[last] as? RowKernel else {
        try run(step: last, core)
        let output = UnsafePointer(pointer(to: graph.output).floats)
        return handOver(0..<graph.outputShape.height, output)
      }
      let start = monotonicSeconds()
      var handingOver = 0.0
      runner.run(
        UnsafeBufferPointer(operands[last]),
        pointer(to: graph.output),
        first: graph.steps[last].rows.first(around: core),
        scratch: arena + graph.steps[last].scratchOffset,
      ) { rows, output in
        let made = monotonicSeconds()
        handOver(rows, output)
        handingOver += monotonicSeconds() - made
      }
      seconds[last] += monotonicSeconds() - start - handingOver
    }
  }

  private func prepare(_ inputs: [Tensor], _ core: Range<Int>?) -> Range<Int> {
    precondition(inputs.map(\.shape) == graph.inputShapes, "inputs have the compiled sizes")
    let core = core ?? 0..<graph.inputShapes[0].height
    precondition(graph.cores.isEmpty || graph.cores.contains(core), "the core is one of the plan's")
    bind(inputs)
    return core
  }

  private func run(step index: Int, _ core: Range<Int>) throws(EngineError) {
    let step = graph.steps[index]
    let start = monotonicSeconds()
    try runners[index].run(
      UnsafeBufferPointer(operands[index]),
      pointer(to: step.result),
      first: step.rows.first(around: core),
      scratch: arena + step.scratchOffset,
    )
    seconds[index] += monotonicSeconds() - start
  }

  private func bindArena() {
    for (step, pointers) in zip(graph.steps, operands) {
      for (index, location) in step.operands.enumerated() {
        guard case .arena = location else { continue }
        pointers.initializeElement(at: index, to: UnsafeRawPointer(pointer(to: location)))
      }
    }
  }

  private func bind(_ inputs: [Tensor]) {
    for (step, pointers) in zip(graph.steps, operands) {
      for (index, location) in step.operands.enumerated() {
        guard case .input(let number) = location else { continue }
        pointers.initializeElement(at: index, to: UnsafeRawPointer(inputs[number].pointer))
      }
    }
  }

  private func pointer(to location: CompiledGraph.Location) -> UnsafeMutableRawPointer {
    guard case .arena(let byteOffset) = location else {
      preconditionFailure("inputs are bound, not placed")
    }
    return arena + byteOffset
  }
}

/// Seconds on a clock that never jumps.
package func monotonicSeconds() -> Double { seconds(of: CLOCK_MONOTONIC) }

/// The processors' seconds that all threads of this program have used.
package func processorSeconds() -> Double { seconds(of: CLOCK_PROCESS_CPUTIME_ID) }

private func seconds(of clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

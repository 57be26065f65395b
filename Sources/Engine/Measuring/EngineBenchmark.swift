/// How fast a model runs on this machine, and how much of that is arithmetic.
public struct EngineBenchmark: Sendable {
  /// Frames per second through ``Upscaler``, from planar picture to planar picture.
  public let framesPerSecond: Double

  /// What a frame costs of the processors' time, which other programs on the machine hardly change.
  public let processorSecondsPerFrame: Double

  /// The part of the workers' busy time that each operation takes, largest first; sums to 1.
  public let shares: [(operation: String, share: Double)]

  /// Frames per second of the backend's convolutions by themselves: whole layers, without activation
  /// and residual, one after the other.
  public let convolutionsAlone: Double

  /// The operations of a frame's convolutions; a product with its addition counts two.
  public let convolutionOperations: Int

  /// Operations per second of all workers in convolutions, with activation, residual and rounding, while they
  /// are in them.
  public let convolutionRate: Double

  /// The machine's peak for the precision in the same unit, the better of one measured before and one after;
  /// nil where the CPU has no instructions for it.
  public let peak: Double?

  /// Runs a model on a generated picture of this size for a while.
  public init(
    model: Model,
    options: Upscaler.Options,
    width: Int,
    height: Int,
    seconds: Double,
  ) throws(EngineError) {
    let peakBefore = try MachinePeak.measure(options)
    let plan = try WorkPlan(model: model, width: width, height: height, options: options)
    let upscaler = try Upscaler(model: model, options: options, plan: plan)
    try upscaler.run(plan, seconds: seconds / 4)  // warms up: programs, noise, memory
    let before = upscaler.secondsByOperation
    let run = try upscaler.run(plan, seconds: seconds)
    framesPerSecond = run.framesPerSecond
    processorSecondsPerFrame = run.processorSecondsPerFrame

    let spent = upscaler.secondsByOperation.mapValues { $0 }
      .merging(before.mapValues { -$0 }, uniquingKeysWith: +)
    let total = spent.values.reduce(0, +)
    shares = spent.map { ($0.key, $0.value / total) }.sorted { $0.1 > $1.1 }

    let tileCount = Double(plan.tiles.tiles.count)
    convolutionOperations =
      2 * plan.graph.multiplyAddCount(cores: plan.tiles.cores) * plan.tiles.tiles.count
    let operations = Double(run.frames * convolutionOperations)
    let secondsEach = (spent["convolution"] ?? .infinity) / Double(plan.workers)
    convolutionRate = operations / secondsEach
    let bare = try BareConvolutions(plan, options: options)
    convolutionsAlone = try bare.runsPerSecond(seconds) / tileCount
    let peaks = [peakBefore, try MachinePeak.measure(options)].compactMap(\.self)
    peak = peaks.max()
  }
}

extension MachinePeak {
  fileprivate static func measure(_ options: Upscaler.Options) throws(EngineError) -> Double? {
    try measure(threads: options.workers, precision: options.backend.precision)
  }
}

extension Upscaler {
  /// Measures how long a picture takes when all workers are busy, in seconds of the clock.
  ///
  /// - Parameters:
  ///   - plan: The plan that the upscaler works by.
  ///   - seconds: How long to measure; longer where a few pictures take longer.
  /// - Returns: The seconds for each picture.
  /// - Throws: ``EngineError/backend(operation:reason:)``.
  public func secondsPerFrame(
    _ plan: WorkPlan,
    measuring seconds: Double,
  ) throws(EngineError) -> Double {
    let picture = Image(pattern: 0, width: plan.width, height: plan.height)
    _ = try upscale(picture).wait()  // warms up: programs, noise, memory
    return 1 / (try run(plan, seconds: seconds).framesPerSecond)
  }

  /// Keeps all workers busy with two pictures in turns, so that each is new.
  ///
  /// Whole rounds: while one worker has a last picture alone, the rate is not that of all.
  @discardableResult
  func run(
    _ plan: WorkPlan,
    seconds: Double,
  ) throws(EngineError)
    -> (frames: Int, framesPerSecond: Double, processorSecondsPerFrame: Double)
  {
    let pictures = (0..<2).map { Image(pattern: $0, width: plan.width, height: plan.height) }
    var pending: [PendingImage] = []
    var begun = 0
    let (start, startOfWork) = (monotonicSeconds(), processorSeconds())
    var finished = 0
    repeat {
      while pending.count < plan.framesInFlight {
        pending.append(try upscale(pictures[begun % 2]))
        begun += 1
      }
      _ = try pending.removeFirst().wait()
      finished += 1
    } while monotonicSeconds() - start < seconds || !begun.isMultiple(of: plan.framesAtOnce)
    for image in pending {
      _ = try image.wait()
      finished += 1
    }
    return (
      finished,
      Double(finished) / (monotonicSeconds() - start),
      (processorSeconds() - startOfWork) / Double(finished)
    )
  }
}

/// The convolutions of a plan's graph, each by itself, all of its rows at once and nothing fused; those of 8 bits
/// leave their sums as they are.
private struct BareConvolutions: Sendable {
  private let layers: [(step: ConvolutionStep, kernel: any Kernel)]
  private let threads: Int

  init(_ plan: WorkPlan, options: Upscaler.Options) throws(EngineError) {
    threads = options.workers
    let graph = plan.graph
    let types = graph.sampleTypes(for: options.backend.precision)
    let rows = RowPlan(graph, cores: plan.tiles.cores)
    layers = try graph.convolutions.map { (convolution, operation) throws(EngineError) in
      let picture = operation.operands[0]
      var step = ConvolutionStep(convolution: convolution.bare, input: graph.shape(of: picture))
      if case .convolution = operation.kind { step.rows = rows[operation.result].count }
      if case .uint8 = types[picture.index] { step.inputType = types[picture.index] }
      return (step, try options.backend.bareKernel(for: step))
    }
  }

  func runsPerSecond(_ seconds: Double) throws(EngineError) -> Double {
    // Made here, where an error can be thrown; each is then used by one thread only.
    nonisolated(unsafe) var programs: [[BareProgram]] = []
    for _ in 0..<threads {
      programs.append(
        try layers.map { (layer) throws(EngineError) in try BareProgram(layer.step, layer.kernel) }
      )
    }
    return try Parallel.rate(threads: threads, seconds: seconds) { thread in
      {
        for program in programs[thread] { program.run() }
        return 1
      }
    }
  }
}

/// A kernel with memory of its own.
private struct BareProgram {
  private let runner: any KernelRunner
  private let picture: Tensor
  private let result: Tensor
  private let scratch: Tensor

  init(_ step: ConvolutionStep, _ kernel: any Kernel) throws(EngineError) {
    runner = try kernel.makeRunner()
    picture = Tensor(shape: step.input)
    result = Tensor(shape: step.output)
    let count = kernel.scratchByteCount / MemoryLayout<Float>.size + 1
    scratch = Tensor(shape: Shape(height: 1, width: 1, channels: count))
  }

  func run() {
    withUnsafeTemporaryAllocation(of: UnsafeRawPointer.self, capacity: 1) { operands in
      operands.initialize(repeating: UnsafeRawPointer(picture.pointer))
      try? runner.run(
        UnsafeBufferPointer(operands),
        result.pointer,
        first: 0,
        scratch: scratch.pointer,
      )
    }
  }
}

extension Graph {
  fileprivate var convolutions: [(Convolution, Operation)] {
    operations.flatMap { operation in operation.kind.convolutions.map { ($0, operation) } }
  }
}

extension Convolution {
  fileprivate var bare: Convolution {
    var bare = Convolution(
      inputChannels: inputChannels,
      outputChannels: outputChannels,
      kernel: kernel,
      stride: stride,
      padding: padding,
      weights: weights,
      bias: bias,
    )
    bare.integer = integer
    return bare
  }
}

extension Backend {
  /// What the library does by itself: without strips and without what follows exact sums.
  fileprivate func bareKernel(for step: ConvolutionStep) throws(EngineError) -> any Kernel {
    guard let library = self as? OneDNNBackend else { return try kernel(for: step) }
    return try library.bareKernel(for: step)
  }
}

internal import EngineC

/// A convolution of a twice enlarged picture: four at the small size, whose pixels are interleaved.
struct EnlargedConvolutionKernel: Kernel {
  private let input: Shape
  private let channels: Int
  private let phases: [any Kernel]

  init(_ convolution: Convolution, input: Shape, backend: some Backend) throws(EngineError) {
    self.input = input
    channels = convolution.outputChannels
    phases = try convolution.phases.map { (phase) throws(EngineError) in
      try backend.kernel(for: phase, input: input, residualScale: nil)
    }
  }

  private var phaseByteCount: Int { Self.phaseByteCount(input, channels: channels) }

  // A phase has one row and one column more than the picture; rounded up so that what follows is
  // aligned as well.
  private static func phaseByteCount(_ input: Shape, channels: Int) -> Int {
    ((input.height + 1) * (input.width + 1) * channels * MemoryLayout<Float>.size)
      .rounded(upTo: 64)
  }

  /// The memory that the kernel takes, found without its weights.
  static func memory(
    of convolution: Convolution,
    input: Shape,
    backend: some Backend,
  ) throws(EngineError) -> KernelMemory {
    let phases = try convolution.phases.map { (phase) throws(EngineError) in
      try backend.memory(of: phase, input: input)
    }
    return KernelMemory(
      scratchByteCount: phaseByteCount(input, channels: convolution.outputChannels)
        + (phases.map(\.scratchByteCount).max() ?? 0),
      weightByteCount: phases.reduce(0) { $0 + $1.weightByteCount },
    )
  }

  var scratchByteCount: Int { phaseByteCount + (phases.map(\.scratchByteCount).max() ?? 0) }

  func makeRunner() throws(EngineError) -> any KernelRunner {
    let runners = try phases.map { (phase) throws(EngineError) in try phase.makeRunner() }
    return Runner(kernel: self, phases: runners)
  }

  private struct Runner: KernelRunner {
    let kernel: EnlargedConvolutionKernel
    let phases: [any KernelRunner]

    func run(
      _ operands: UnsafeBufferPointer<UnsafePointer<Float>>,
      _ result: UnsafeMutablePointer<Float>,
      scratch: UnsafeMutableRawPointer,
    ) throws(EngineError) {
      let pixels = scratch.assumingMemoryBound(to: Float.self)
      let (height, width) = (kernel.input.height, kernel.input.width)
      for (index, phase) in phases.enumerated() {
        try phase.run(operands, pixels, scratch: scratch + kernel.phaseByteCount)
        let (row, column) = (index / 2, index % 2)
        enginec_interleave(result, pixels, height, width, kernel.channels, row, column)
      }
    }
  }
}

internal import EngineC

/// A convolution of a twice enlarged picture: four at the small size, whose pixels are interleaved.
struct EnlargedConvolutionKernel: Kernel {
  private let step: ConvolutionStep
  private let phases: [any Kernel]

  init(_ step: ConvolutionStep, backend: some Backend) throws(EngineError) {
    self.step = step
    phases = try step.phases.map { (phase) throws(EngineError) in try backend.kernel(for: phase) }
  }

  /// The memory that the kernel takes, found without its weights.
  static func memory(
    of step: ConvolutionStep,
    backend: some Backend,
  ) throws(EngineError) -> KernelMemory {
    let phases = try step.phases.map { (phase) throws(EngineError) in
      try backend.memory(of: phase)
    }
    return KernelMemory(
      scratchByteCount: step.phaseByteCount + (phases.map(\.scratchByteCount).max() ?? 0),
      weightByteCount: phases.reduce(0) { $0 + $1.weightByteCount },
    )
  }

  var scratchByteCount: Int { step.phaseByteCount + (phases.map(\.scratchByteCount).max() ?? 0) }

  func makeRunner() throws(EngineError) -> any KernelRunner {
    let runners = try phases.map { (phase) throws(EngineError) in try phase.makeRunner() }
    return Runner(kernel: self, phases: runners)
  }

  private struct Runner: KernelRunner {
    let kernel: EnlargedConvolutionKernel
    let phases: [any KernelRunner]

    func run(
      _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
      _ result: UnsafeMutableRawPointer,
      first: Int,
      scratch: UnsafeMutableRawPointer,
    ) throws(EngineError) {
      let step = kernel.step
      let (height, width) = (step.input.height, step.input.width)
      for (index, phase) in phases.enumerated() {
        try phase.run(operands, scratch, first: 0, scratch: scratch + step.phaseByteCount)
        let (row, column) = (index / 2, index % 2)
        enginec_interleave(result, scratch, height, width, step.pixelByteCount, row, column)
      }
    }
  }
}

extension ConvolutionStep {
  fileprivate var phases: [ConvolutionStep] {
    convolution.phases.map { phase in
      var step = self
      step.convolution = phase
      return step
    }
  }

  fileprivate var pixelByteCount: Int { convolution.outputChannels * resultType.byteCount }

  // A phase has one row and one column more than the picture; rounded up so that what follows is
  // aligned as well.
  fileprivate var phaseByteCount: Int {
    ((input.height + 1) * (input.width + 1) * pixelByteCount).rounded(upTo: 64)
  }
}

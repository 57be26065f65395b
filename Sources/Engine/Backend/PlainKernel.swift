/// A kernel without state: the same function for every thread.
struct PlainKernel: Kernel, KernelRunner {
  typealias Body =
    @Sendable (
      UnsafeBufferPointer<UnsafePointer<Float>>, UnsafeMutablePointer<Float>,
      UnsafeMutableRawPointer
    ) -> Void

  var scratchByteCount = 0
  let body: Body

  func makeRunner() -> any KernelRunner { self }

  func run(
    _ operands: UnsafeBufferPointer<UnsafePointer<Float>>,
    _ result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutableRawPointer,
  ) {
    body(operands, result, scratch)
  }
}

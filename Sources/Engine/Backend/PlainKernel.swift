/// A kernel without state: the same function for every thread.
struct PlainKernel: Kernel, KernelRunner {
  typealias Body =
    @Sendable (
      UnsafeBufferPointer<UnsafeRawPointer>, UnsafeMutableRawPointer, UnsafeMutableRawPointer
    ) -> Void

  var scratchByteCount = 0
  let body: Body

  func makeRunner() -> any KernelRunner { self }

  func run(
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
    first: Int,
    scratch: UnsafeMutableRawPointer,
  ) {
    body(operands, result, scratch)
  }
}

/// A kernel without state that makes its result one stripe of rows after the other, and as many as are
/// wanted.
struct RowKernel: Kernel, KernelRunner {
  typealias Body =
    @Sendable (
      UnsafeBufferPointer<UnsafeRawPointer>, UnsafeMutableRawPointer, Int, UnsafeMutableRawPointer
    ) -> Void

  /// The rows of a stripe.
  let height: Int

  /// The rows of a run, wherever they lie.
  let rows: Int

  let scratchByteCount: Int

  /// Makes one stripe, given its number, in its place in the whole result.
  let body: Body

  func makeRunner() -> any KernelRunner { self }

  func run(
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
    first: Int,
    scratch: UnsafeMutableRawPointer,
  ) {
    for stripe in (first / height)...((first + rows - 1) / height) {
      body(operands, result, stripe, scratch)
    }
  }
}

/// A kernel without state that makes its result one stripe of rows after the other, and as many as are
/// wanted.
struct RowKernel: Kernel, KernelRunner {
  typealias Body =
    @Sendable (
      UnsafeBufferPointer<UnsafeRawPointer>, UnsafeMutableRawPointer, Int, UnsafeMutableRawPointer
    ) -> Void

  /// The rows of a stripe.
  let height: Int

  /// The bytes of a stripe.
  let stripeByteCount: Int

  /// The rows of a run, wherever they lie.
  let rows: Int

  let scratchByteCount: Int

  /// Makes one stripe, given its place and number.
  let body: Body

  func makeRunner() -> any KernelRunner { self }

  func run(
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
    first: Int,
    scratch: UnsafeMutableRawPointer,
  ) {
    for stripe in stripes(first) {
      body(operands, result + stripe * stripeByteCount, stripe, scratch)
    }
  }

  /// Makes every stripe in the place of the first one, and hands it over there, in the cache.
  func run(
    _ operands: UnsafeBufferPointer<UnsafeRawPointer>,
    _ result: UnsafeMutableRawPointer,
    first: Int,
    scratch: UnsafeMutableRawPointer,
    handOver: (Range<Int>, UnsafePointer<Float>) -> Void,
  ) {
    for stripe in stripes(first) {
      body(operands, result, stripe, scratch)
      handOver((stripe * height)..<((stripe + 1) * height), UnsafePointer(result.floats))
    }
  }

  private func stripes(_ first: Int) -> ClosedRange<Int> {
    (first / height)...((first + rows - 1) / height)
  }
}

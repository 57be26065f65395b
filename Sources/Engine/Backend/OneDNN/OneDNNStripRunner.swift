internal import EngineC

/// What one worker needs to run a convolution of the library strip by strip.
final class OneDNNStripRunner {
  private let native: OpaquePointer

  /// - Throws: ``EngineError/backend(operation:reason:)`` when there is no memory.
  init(_ convolution: OpaquePointer) throws(EngineError) {
    guard let runner = enginec_convolution_runner_create(convolution) else {
      throw .backend(operation: "a convolution", reason: "out of memory")
    }
    native = runner
  }

  deinit {
    enginec_convolution_runner_destroy(native)
  }

  /// Writes the sums of the strip of `rows` rows that begins with row `first`.
  func run(
    _ source: UnsafeRawPointer,
    into sums: UnsafeMutableRawPointer,
    first: Int,
    rows: Int,
    scratch: UnsafeMutableRawPointer,
  ) throws(EngineError) {
    let status = enginec_convolution_execute(native, source, sums, first, rows, scratch)
    guard status == 0 else {
      throw .backend(operation: "a convolution", reason: "oneDNN status \(status)")
    }
  }
}

internal import EngineC

/// What this machine has, as far as it matters for speed.
public enum Machine {
  /// The processors that this process may run on.
  public static var processorCount: Int { enginec_processor_count() }

  /// The memory of the machine, or of the container that the process runs in, in bytes.
  public static var memoryByteCount: Int { enginec_memory_bytes() }

  /// Gives memory that nothing uses any more back to the system.
  static func releaseFreeMemory() { enginec_release_free_memory() }

  /// The instruction set that our own kernels use here.
  public static var kernelLevel: String { String(cString: enginec_kernel_level()) }

  /// The libraries that multiply, and their versions.
  public static var libraries: [(name: String, version: String)] {
    [
      ("oneDNN", String(cString: enginec_onednn_version())),
      ("OpenBLAS", openBLASVersion),
    ]
  }

  // "OpenBLAS 0.3.21 DYNAMIC_ARCH …": the second word.
  private static var openBLASVersion: String {
    let words = String(cString: enginec_openblas_version()).split(separator: " ")
    return words.count > 1 ? String(words[1]) : "unknown"
  }

  /// oneDNN's name for the kernel that it chooses for a 3×3 convolution, such as `brgconv:avx512_core`.
  public static var convolutionKernel: String {
    convolutionKernel(multiplying: enginec_float32) ?? "none"
  }

  /// The kernel for factors of one type; `nil` where oneDNN has none for this CPU.
  static func convolutionKernel(multiplying type: enginec_sample_type) -> String? {
    var shape = enginec_convolution_shape(
      height: 16,
      width: 16,
      in_channels: 48,
      out_channels: 48,
      kernel: 3,
      stride: 1,
      pad_before: 1,
      pad_after: 1,
      rows: 16,
      strip_rows: 16,
      activation: enginec_activation_none,
      alpha: 0,
      factor_type: type,
      x_type: enginec_float32,
      out_type: enginec_float32,
      winograd: 0
    )
    let weights = [Float](repeating: 0, count: 48 * 48 * 9)
    var reason: UnsafePointer<CChar>?
    guard let native = enginec_convolution_create(&shape, weights, weights, &reason) else {
      return nil
    }
    defer { enginec_convolution_destroy(native) }
    return String(cString: enginec_convolution_implementation(native))
  }
}

internal import EngineC

/// What convolutions multiply.
///
/// Sums are in single precision always, and so is everything between layers that is not only multiplied.
public enum Precision: Hashable, Sendable {
  /// Samples and weights as they are.
  case float32

  /// Samples and weights rounded to 8 bits of mantissa: twice as fast where the CPU has fast instructions for it.
  case bfloat16

  /// Whole numbers of 8 bits where the model has them, twice as fast as bfloat16 with VNNI and as single
  /// precision with AVX2 alone; other convolutions multiply samples and weights as they are.
  case int8

  /// Whether anything can be computed in it: for bfloat16 oneDNN wants AVX-512, with or without instructions for it.
  public var isPossible: Bool {
    self != .bfloat16 || Machine.convolutionKernel(multiplying: enginec_bfloat16) != nil
  }

  /// Whether this CPU has instructions for it that are faster than those for single precision.
  public var isAccelerated: Bool {
    switch self {
    case .float32: true
    case .bfloat16: enginec_bfloat16_is_fast() != 0 && isPossible
    case .int8: enginec_int8_is_fast() != 0
    }
  }
}

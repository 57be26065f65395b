internal import EngineC

/// What convolutions multiply.
///
/// Sums are in single precision always, and so is everything between layers that is not only multiplied.
public enum Precision: Hashable, Sendable {
  /// Samples and weights as they are.
  case float32

  /// Samples and weights rounded to 8 bits of mantissa: twice as fast where the CPU has instructions for it.
  case bfloat16

  /// The fastest precision that this CPU has instructions for.
  public static var fastest: Precision { enginec_has_bfloat16() != 0 ? .bfloat16 : .float32 }
}

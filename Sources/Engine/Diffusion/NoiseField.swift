internal import EngineC

/// Gaussian noise that depends on where a pixel lies in the output canvas and on nothing else.
///
/// The generator is counter-based (Philox 4x32-10 and Box–Muller): the value at a position is the same
/// wherever tile boundaries fall, on any thread, and in every frame, so that a still scene stays still.
public struct NoiseField: Hashable, Sendable {
  /// The key of the generator.
  public let seed: UInt64

  /// Creates the field of a seed.
  public init(seed: UInt64) {
    self.seed = seed
  }

  /// Fills an RGB tensor with standard normal samples of the canvas, starting at a pixel.
  ///
  /// Every `draw` is a field of its own.
  public func fill(_ tensor: Tensor, canvasX: Int, canvasY: Int, draw: UInt32 = 0) {
    precondition(tensor.shape.channels == 3, "noise is drawn for RGB")
    let width = tensor.shape.width
    for row in 0..<tensor.shape.height {
      enginec_noise_row(
        tensor.pointer + row * width * 3,
        seed,
        draw,
        UInt32(canvasY + row),
        UInt32(canvasX),
        width
      )
    }
  }
}

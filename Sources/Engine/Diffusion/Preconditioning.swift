internal import Glibc

/// How a consistency function mixes its input with what the network says, as in CTMSR's published code:
/// `f(x, σ, y) = skip · x + out · F(x, noise, y)` for a low-resolution picture `y`.
///
/// With `q = σ / 0.1` and the deviation `s` of images,
///
/// ```
/// skip = s² / (q² + s²)    out = q / √(q² + s²)    noise = ln(σ + 0.002) / 4
/// ```
///
/// so the input counts for all at σ = 0 and for almost nothing at σ = 1.
public struct Preconditioning: Hashable, Sendable {
  /// The weight of the network's input.
  public let skip: Float

  /// The weight of the network's output.
  public let out: Float

  /// What the time embedding is told about σ.
  public let noise: Float

  /// The mix for a noise level.
  ///
  /// - Parameters:
  ///   - sigma: The standard deviation of the noise, 0…1.
  ///   - sigmaData: The standard deviation of images, 0.5 for pictures in −1…1.
  public init(sigma: Float, sigmaData: Float = 0.5) {
    let q = sigma / 0.1
    let variance = sigmaData * sigmaData
    skip = variance / (q * q + variance)
    out = q / (q * q + variance).squareRoot()
    noise = logf(sigma + 0.002) / 4
  }
}

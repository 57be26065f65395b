internal import Glibc

/// The sines and cosines that tell a network its time or noise level.
///
/// At inference the time is constant, so whatever depends on it is computed while the file is read and
/// becomes part of biases.
enum TimeEmbedding {
  /// Angles `time · base^(−k / divisor)` for k = 0 ..< count.
  static func angles(_ time: Float, count: Int, divisor: Int, base: Float = 10000) -> [Float] {
    (0..<count).map { time * powf(base, -Float($0) / Float(divisor)) }
  }

  static func sines(_ angles: [Float]) -> [Float] { angles.map { sinf($0) } }

  static func cosines(_ angles: [Float]) -> [Float] { angles.map { cosf($0) } }

  static func silu(_ x: [Float]) -> [Float] { x.map { $0 / (1 + expf(-$0)) } }
}

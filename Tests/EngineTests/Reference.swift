import Glibc

@testable import Engine

/// Plain loops that say what each operation means; never optimised.
enum Reference {
  static func convolution(
    _ x: [Float],
    _ shape: Shape,
    _ convolution: Convolution,
    residual: [Float]? = nil,
    residualScale: Float = 1,
  ) throws -> [Float] {
    let weights = try convolution.weights.values()
    let (stride, before, kernel) = (
      convolution.stride, convolution.padding.before, convolution.kernel
    )
    let output = convolution.output(for: shape)
    var out: [Float] = []
    for y in 0..<output.height {
      for column in 0..<output.width {
        for o in 0..<convolution.outputChannels {
          var sum = Double(convolution.bias[o])
          for i in 0..<convolution.inputChannels {
            for dy in 0..<kernel {
              for dx in 0..<kernel {
                let (sy, sx) = (y * stride + dy - before, column * stride + dx - before)
                guard (0..<shape.height).contains(sy), (0..<shape.width).contains(sx) else {
                  continue
                }
                let weight = ((o * convolution.inputChannels + i) * kernel + dy) * kernel + dx
                sum +=
                  Double(x[(sy * shape.width + sx) * shape.channels + i]) * Double(weights[weight])
              }
            }
          }
          let value = activated(Float(sum), convolution.activation, channel: o)
          out.append(value + residualScale * (residual?[out.count] ?? 0))
        }
      }
    }
    return out
  }

  static func activated(_ x: Float, _ activation: Activation, channel: Int) -> Float {
    switch activation {
    case .none: x
    case .relu: max(x, 0)
    case .leakyReLU(let slope): x > 0 ? x : slope * x
    case .prelu(let slopes): x > 0 ? x : slopes[channel] * x
    case .silu: x / (1 + expf(-x))
    case .gelu: x * (1 + erff(x / Float(2).squareRoot())) / 2
    }
  }

  /// PyTorch's documentation of PixelShuffle: (C·r², H, W) to (C, H·r, W·r).
  static func pixelShuffle(_ x: [Float], _ shape: Shape, factor r: Int) -> [Float] {
    let channels = shape.channels / (r * r)
    var out = [Float](repeating: .nan, count: x.count)
    for y in 0..<(shape.height * r) {
      for column in 0..<(shape.width * r) {
        for c in 0..<channels {
          let source = (y / r * shape.width + column / r) * shape.channels
          out[(y * shape.width * r + column) * channels + c] =
            x[source + c * r * r + y % r * r + column % r]
        }
      }
    }
    return out
  }

  static func nearest(_ x: [Float], _ shape: Shape, factor: Int) -> [Float] {
    sampled(shape, factor) { y, column, c in
      x[(y / factor * shape.width + column / factor) * shape.channels + c]
    }
  }

  /// Keys' cubic convolution, a = −0.75, over the 4 × 4 nearest samples, edges repeated.
  static func bicubic(_ x: [Float], _ shape: Shape, factor: Int) -> [Float] {
    sampled(shape, factor) { y, column, c in
      let (sy, sx) = (source(y, factor), source(column, factor))
      var sum = 0.0
      for j in -1...2 {
        for i in -1...2 {
          let row = min(max(Int(sy.rounded(.down)) + j, 0), shape.height - 1)
          let pixel = min(max(Int(sx.rounded(.down)) + i, 0), shape.width - 1)
          let weight =
            keys(sy - sy.rounded(.down) - Double(j)) * keys(sx - sx.rounded(.down) - Double(i))
          sum += weight * Double(x[(row * shape.width + pixel) * shape.channels + c])
        }
      }
      return Float(sum)
    }
  }

  private static func source(_ position: Int, _ factor: Int) -> Double {
    (Double(position) + 0.5) / Double(factor) - 0.5
  }

  private static func keys(_ distance: Double) -> Double {
    let (a, d) = (-0.75, abs(distance))
    if d <= 1 { return (a + 2) * d * d * d - (a + 3) * d * d + 1 }
    return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0
  }

  private static func sampled(
    _ shape: Shape,
    _ factor: Int,
    _ sample: (Int, Int, Int) -> Float,
  ) -> [Float] {
    var out: [Float] = []
    for y in 0..<(shape.height * factor) {
      for column in 0..<(shape.width * factor) {
        for c in 0..<shape.channels { out.append(sample(y, column, c)) }
      }
    }
    return out
  }
}

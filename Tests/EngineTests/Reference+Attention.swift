import Glibc

@testable import Engine

extension Reference {
  static func groupNorm(_ x: [Float], _ shape: Shape, _ norm: GroupNorm) -> [Float] {
    let width = shape.channels / norm.groups
    var out = x
    for group in 0..<norm.groups {
      let indices = (0..<shape.pixelCount).flatMap { p in
        (0..<width).map { p * shape.channels + group * width + $0 }
      }
      let mean = indices.reduce(0.0) { $0 + Double(x[$1]) } / Double(indices.count)
      let variance =
        indices.reduce(0.0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) }
        / Double(indices.count)
      for i in indices {
        let c = i % shape.channels
        let normal = (Double(x[i]) - mean) / (variance + Double(norm.epsilon)).squareRoot()
        out[i] = activated(
          Float(normal * Double(norm.scale[c]) + Double(norm.shift[c])),
          norm.activation,
          channel: c,
        )
      }
    }
    return out
  }

  static func mean(_ x: [Float], _ shape: Shape, factor: Int) -> [Float] {
    let (height, width) = (shape.height / factor, shape.width / factor)
    var out = [Float](repeating: 0, count: height * width * shape.channels)
    for y in 0..<shape.height {
      for column in 0..<shape.width {
        for c in 0..<shape.channels {
          out[(y / factor * width + column / factor) * shape.channels + c] +=
            x[(y * shape.width + column) * shape.channels + c] / Float(factor * factor)
        }
      }
    }
    return out
  }

  /// Every row of `q` as a mixture of the rows of `v`.
  static func attention(
    _ q: [[Float]],
    _ k: [[Float]],
    _ v: [[Float]],
    bias: (_ query: Int, _ key: Int) -> Float,
  ) -> [[Float]] {
    let scale = 1 / Double(q[0].count).squareRoot()
    return q.indices.map { i in
      let scores = k.indices.map { j in
        zip(q[i], k[j]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } * scale
          + Double(bias(i, j))
      }
      let maximum = scores.max() ?? 0
      let shares = scores.map { exp($0 - maximum) }
      let sum = shares.reduce(0, +)
      return v[0].indices.map { c in
        Float(v.indices.reduce(0.0) { $0 + shares[$1] * Double(v[$1][c]) } / sum)
      }
    }
  }

  /// Swin's shifted windows with a picture that is really rolled and a mask that is written out.
  static func windowAttention(
    _ qkv: [Float],
    _ shape: Shape,
    _ attention: WindowAttention,
  ) -> [Float] {
    let (height, width, channels) = (shape.height, shape.width, shape.channels / 3)
    let (side, shift, depth) = (attention.window, attention.shift, channels / attention.heads)
    var out = [Float](repeating: .nan, count: height * width * channels)
    func pixel(_ y: Int, _ x: Int) -> Int { (y + shift) % height * width + (x + shift) % width }
    func region(_ y: Int) -> Int { y < height - side ? 0 : y < height - shift ? 1 : 2 }
    for top in stride(from: 0, to: height, by: side) {
      for left in stride(from: 0, to: width, by: side) {
        let tokens = (0..<(side * side)).map { pixel(top + $0 / side, left + $0 % side) }
        // On purpose: the released code marks rows only, and numbers the mask's tokens by columns.
        let regions = (0..<(side * side)).map { region(top + $0 % side) }
        for head in 0..<attention.heads {
          func part(_ index: Int) -> [[Float]] {
            tokens.map { token in
              let start = token * 3 * channels + index * channels + head * depth
              return Array(qkv[start..<(start + depth)])
            }
          }
          let rows = Self.attention(part(0), part(1), part(2)) { i, j in
            let dy = i / side - j / side + side - 1
            let dx = i % side - j % side + side - 1
            let row = dy * (2 * side - 1) + dx
            let mask: Float = shift > 0 && regions[i] != regions[j] ? -100 : 0
            return attention.relativeBias[row * attention.heads + head] + mask
          }
          for (token, row) in zip(tokens, rows) {
            for (d, value) in row.enumerated() { out[token * channels + head * depth + d] = value }
          }
        }
      }
    }
    return out
  }

  static func quantization(_ x: [Float], _ codebook: Codebook) -> [Float] {
    let n = codebook.channels
    return (0..<(x.count / n)).flatMap { p -> ArraySlice<Float> in
      let distances = (0..<codebook.count).map { code in
        (0..<n).reduce(Float(0)) { sum, c in
          let d = x[p * n + c] - codebook.codes[code * n + c]
          return sum + d * d
        }
      }
      let nearest = distances.firstIndex(of: distances.min() ?? 0) ?? 0
      return codebook.codes[(nearest * n)..<((nearest + 1) * n)]
    }
  }
}

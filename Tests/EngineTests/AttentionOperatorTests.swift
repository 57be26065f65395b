import TestSupport
import Testing

@testable import Engine

@Suite struct AttentionOperatorTests {
  // The offset shows whether variance survives a mean that is a thousand times larger.
  @Test(
    arguments: [(1, 1, 4, 2), (5, 7, 6, 3), (9, 13, 32, 32), (16, 33, 48, 1), (8, 8, 64, 8)],
    [0, 1000] as [Float]
  )
  func normalizesGroups(
    size: (height: Int, width: Int, channels: Int, groups: Int),
    offset: Float,
  ) throws {
    var random = SeededGenerator(seed: 11)
    let shape = Shape(height: size.height, width: size.width, channels: size.channels)
    let x = random.floats(shape.count).map { $0 + offset }
    for activation in [Activation.none, .silu] {
      let norm = GroupNorm(
        groups: size.groups,
        epsilon: 1e-5,
        scale: random.floats(size.channels),
        shift: random.floats(size.channels),
        activation: activation,
      )
      let actual = try run(backends[0], inputs: [(shape, x)]) { $0.groupNorm($1[0], norm) }
      let expected = Reference.groupNorm(x, shape, norm)
      // A float near 1000 has steps of 6e-5, so the input itself is not known better.
      let tolerance = offset == 0 ? Tolerance.transcendental : 1e-3
      #expect(maximumDifference(actual, expected) <= tolerance)
    }
  }

  @Test func appliesActivationsByThemselves() throws {
    var random = SeededGenerator(seed: 12)
    let shape = Shape(height: 3, width: 37, channels: 5)
    // From where exponentials vanish to where they overflow.
    let x = random.floats(shape.count).enumerated().map { $1 * [1, 10, 200][$0 % 3] }
    let activations: [Activation] = [
      .silu, .gelu, .leakyReLU(slope: 0.2), .prelu(slopes: random.floats(5)),
    ]
    for activation in activations {
      let actual = try run(backends[0], inputs: [(shape, x)]) { $0.activation($1[0], activation) }
      let expected = x.enumerated().map {
        Reference.activated($1, activation, channel: $0 % 5)
      }
      #expect(maximumDifference(actual, expected) <= Tolerance.transcendental, "\(activation)")
    }
  }

  @Test(arguments: [1, 2, 3])
  func averagesBlocks(factor: Int) throws {
    var random = SeededGenerator(seed: 13)
    let shape = Shape(height: 3 * factor, width: 5 * factor, channels: 7)
    let x = random.floats(shape.count)
    let actual = try run(backends[0], inputs: [(shape, x)]) { $0.mean($1[0], factor: factor) }
    let expected = Reference.mean(x, shape, factor: factor)
    #expect(maximumDifference(actual, expected) <= Tolerance.float32Accumulation)
  }

  @Test(arguments: [
    (1, 1, 8, 8, 2, 0), (2, 3, 8, 32, 1, 0), (2, 3, 8, 32, 2, 4), (1, 2, 8, 12, 3, 4),
    (3, 2, 7, 10, 2, 3), (2, 2, 4, 33, 1, 1), (3, 3, 1, 5, 5, 0),
  ])
  func attendsInsideWindows(
    rows: Int,
    columns: Int,
    window: Int,
    channels: Int,
    heads: Int,
    shift: Int,
  ) throws {
    var random = SeededGenerator(seed: 14)
    let shape = Shape(height: rows * window, width: columns * window, channels: 3 * channels)
    let qkv = random.floats(shape.count).map { 3 * $0 }
    let offsets = (2 * window - 1) * (2 * window - 1)
    let attention = WindowAttention(
      heads: heads,
      window: window,
      shift: shift,
      relativeBias: random.floats(offsets * heads),
    )
    let actual = try run(backends[0], inputs: [(shape, qkv)]) {
      $0.windowAttention($1[0], attention)
    }
    let expected = Reference.windowAttention(qkv, shape, attention)
    #expect(maximumDifference(actual, expected) <= Tolerance.transcendental)
  }

  // More pixels than one block of keys, and than several blocks of queries.
  @Test(arguments: [(1, 1, 3), (3, 5, 16), (9, 15, 33), (25, 27, 64)], [0, 1])
  func attendsToAllPixels(
    size: (height: Int, width: Int, channels: Int),
    backend: Int,
  ) throws {
    var random = SeededGenerator(seed: 15)
    let shape = Shape(height: size.height, width: size.width, channels: size.channels)
    // Later pixels count more, so that maxima grow from block to block.
    let inputs = (0..<3).map { _ in
      random.floats(shape.count).enumerated().map { $1 * (1 + Float($0) / Float(shape.count)) }
    }
    let actual = try run(backends[backend], inputs: inputs.map { (shape, $0) }) {
      $0.attention(queries: $1[0], keys: $1[1], values: $1[2])
    }
    let rows = inputs.map { samples in
      stride(from: 0, to: samples.count, by: size.channels).map {
        Array(samples[$0..<($0 + size.channels)])
      }
    }
    let expected = Reference.attention(rows[0], rows[1], rows[2]) { _, _ in 0 }.flatMap { $0 }
    #expect(maximumDifference(actual, expected) <= Tolerance.transcendental)
  }

  @Test(arguments: [1, 5, 1024, 1500, 4096], [1, 3, 4])
  func findsTheNearestCode(count: Int, channels: Int) throws {
    var random = SeededGenerator(seed: 16)
    let shape = Shape(height: 5, width: 7, channels: channels)
    let x = random.floats(shape.count)
    // The second half repeats the first: of equals the first code wins, as in the reference.
    let half = random.floats((count + 1) / 2 * channels)
    let codes = Array((half + half).prefix(count * channels))
    let codebook = Codebook(count: count, channels: channels, codes: codes)
    let actual = try run(backends[0], inputs: [(shape, x)]) { $0.quantization($1[0], codebook) }
    #expect(maximumDifference(actual, Reference.quantization(x, codebook)) == 0)
  }
}

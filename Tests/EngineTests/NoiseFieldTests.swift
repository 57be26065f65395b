import EngineC
import Testing

@testable import Engine

@Suite struct NoiseFieldTests {
  struct Vector: CustomTestStringConvertible {
    let counter: [UInt32]
    let key: [UInt32]
    let output: [UInt32]

    var testDescription: String {
      "key " + key.map { String($0, radix: 16) }.joined(separator: " ")
    }
  }

  // From kat_vectors of Random123, the library of the paper's authors.
  @Test(arguments: [
    Vector(
      counter: [0, 0, 0, 0],
      key: [0, 0],
      output: [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
    ),
    Vector(
      counter: [.max, .max, .max, .max],
      key: [.max, .max],
      output: [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
    ),
    Vector(
      counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
      key: [0xa409_3822, 0x299f_31d0],
      output: [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
    ),
  ])
  func philoxGivesTheKnownAnswers(_ vector: Vector) {
    var output: [UInt32] = [0, 0, 0, 0]

    enginec_philox(vector.counter, vector.key, &output)

    #expect(output == vector.output)
  }

  @Test(arguments: [(0, 0), (1, 0), (0, 1), (13, 7), (39, 29), (63, 64)])
  func dependsOnThePlaceInTheCanvasAlone(start: (x: Int, y: Int)) {
    let field = NoiseField(seed: 5)
    let canvas = field.samples(x: 0, y: 0, width: 80, height: 70)
    let (width, height) = (80 - start.x, 70 - start.y)

    let tile = field.samples(x: start.x, y: start.y, width: width, height: height)

    let expected = (0..<height).flatMap { row in
      let first = ((start.y + row) * 80 + start.x) * 3
      return canvas[first..<(first + width * 3)]
    }
    #expect(maximumDifference(tile, expected) == 0)
  }

  @Test func isStandardNormal() {
    let samples = NoiseField(seed: 1).samples(x: 0, y: 0, width: 256, height: 261).map(Double.init)
    let count = Double(samples.count)
    let mean = samples.reduce(0, +) / count
    let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let fourth = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) }
    let withinOne = Double(samples.count { abs($0) < 1 }) / count

    // Four standard deviations of each estimate from 200 448 samples.
    #expect(abs(mean) < 0.009)
    #expect(abs(variance - 1) < 0.0127)
    #expect(abs(fourth / count / (variance * variance) - 3) < 0.044)
    #expect(abs(withinOne - 0.682689) < 0.0042)
  }

  // The distance to the next channel, pixel and row, and across the pair of one Box–Muller draw.
  @Test(arguments: [1, 2, 3, 256 * 3])
  func neighboursAreUncorrelated(distance: Int) {
    let samples = NoiseField(seed: 2).samples(x: 0, y: 0, width: 256, height: 256)
    let pairs = zip(samples, samples.dropFirst(distance))
    let correlation = pairs.reduce(0) { $0 + Double($1.0) * Double($1.1) } / Double(samples.count)

    // Four standard deviations, 1/√196 608 each.
    #expect(abs(correlation) < 0.009)
  }

  @Test(arguments: [1, 2, 1 << 32, .max] as [UInt64])
  func everyBitOfTheSeedCounts(seed: UInt64) {
    let one = NoiseField(seed: 0).samples(x: 0, y: 0, width: 16, height: 16)

    let other = NoiseField(seed: seed).samples(x: 0, y: 0, width: 16, height: 16)

    let equal = zip(one, other).count { $0 == $1 }
    #expect(equal < 5, "of \(one.count) samples")
  }

  @Test func rowsAndColumnsAreNotInterchangeable() {
    let field = NoiseField(seed: 3)

    let right = field.samples(x: 1, y: 0, width: 1, height: 1)
    let below = field.samples(x: 0, y: 1, width: 1, height: 1)

    #expect(maximumDifference(right, below) > 0.01)
  }
}

extension NoiseField {
  fileprivate func samples(x: Int, y: Int, width: Int, height: Int) -> [Float] {
    let tensor = Tensor(shape: Shape(height: height, width: width, channels: 3))
    fill(tensor, canvasX: x, canvasY: y)
    return Array(tensor.samples)
  }
}

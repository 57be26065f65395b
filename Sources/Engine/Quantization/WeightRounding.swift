/// Rounds the weights of a convolution to 8 bits so that its sums change least for what it really reads.
///
/// Weight after weight is rounded, and the error so far is taken back by the next ones as far as their
/// samples go along with those before (Frantar et al., "GPTQ", 2023; the same as Babai's nearest plane,
/// whose form this has): with the second moments H = V · Vᵀ of a neighbourhood, V upper triangular,
/// the expected square error of a filter is |Vᵀ · (w − q)|².
struct WeightRounding {
  private let inputChannels: Int
  private let area: Int
  private let order: [Int]
  private let factor: [Double]

  private var depth: Int { order.count }

  // What keeps the triangular factor stable where samples never vary, as a share of the mean moment.
  private static let damping = 1e-3

  /// Prepares the rounding for what a layer reads, stored in these steps.
  init(_ samples: LayerSamples, _ steps: Steps) {
    let convolution = samples.convolution
    let depth = samples.depth
    inputChannels = convolution.inputChannels
    area = convolution.kernel * convolution.kernel
    let sizes = (0..<depth).map { [area] in Double(steps.sizes[$0 / area]) }
    let count = Double(max(samples.count, 1))
    let power = (0..<depth).map {
      Double(samples.moments[$0 * depth + $0]) / (count * sizes[$0] * sizes[$0])
    }
    // Rounded to steps, samples have an error of their own, with a variance of 1/12.
    let own = 1.0 / 12 + Self.damping * power.reduce(0, +) / Double(depth)
    let order = (0..<depth).sorted { power[$0] > power[$1] }
    var matrix = [Double](repeating: 0, count: depth * depth)
    for (row, i) in order.enumerated() {
      for (column, j) in order.enumerated() {
        let moment = Double(samples.moments[i * depth + j]) / (count * sizes[i] * sizes[j])
        matrix[row * depth + column] = moment + (i == j ? own : 0)
      }
    }
    self.order = order
    factor = upperFactor(of: matrix, depth)
  }

  /// Rounds one filter, given in units of its scale and in PyTorch's order.
  func rounded(_ weights: [Double]) -> [Int8] {
    var result = [Int8](repeating: 0, count: depth)
    var errors = [Double](repeating: 0, count: depth)
    factor.withUnsafeBufferPointer { factor in
      for (position, index) in order.enumerated() {
        let row = position * depth
        var carried = 0.0
        for earlier in 0..<position { carried += factor[row + earlier] * errors[earlier] }
        let wish = weights[index] + carried / factor[row + position]
        let limits = limits(index, result)
        let value = min(max(wish.rounded(), limits.lowerBound), limits.upperBound)
        result[index] = Int8(value)
        errors[position] = weights[index] - value
      }
    }
    return result
  }

  // What the other weight of a pair leaves of the limit of their sum.
  private func limits(_ index: Int, _ weights: [Int8]) -> ClosedRange<Double> {
    let (channel, place) = (index / area, index % area)
    let partner = channel ^ 1
    guard partner < inputChannels else { return -127...127 }
    let other = Double(weights[partner * area + place])
    let limit = Double(IntegerFactors.pairLimit)
    return max(-127, -limit - min(other, 0))...min(127, limit - max(other, 0))
  }
}

/// The upper triangular V of a positive definite H = V · Vᵀ, transposed: row j holds V's column j.
private func upperFactor(of matrix: [Double], _ depth: Int) -> [Double] {
  // V by rows, so that the products run along them.
  var rows = matrix
  var columns = [Double](repeating: 0, count: depth * depth)
  rows.withUnsafeMutableBufferPointer { rows in
    for j in stride(from: depth - 1, through: 0, by: -1) {
      for i in stride(from: j, through: 0, by: -1) {
        var sum = rows[i * depth + j]
        for k in (j + 1)..<max(j + 1, depth) { sum -= rows[i * depth + k] * rows[j * depth + k] }
        let pivot = i == j ? max(sum, 1e-12).squareRoot() : rows[j * depth + j]
        rows[i * depth + j] = i == j ? pivot : sum / pivot
        columns[j * depth + i] = rows[i * depth + j]
      }
    }
  }
  return columns
}

extension LayerSamples {
  /// The layer's factors.
  func factors() throws(EngineError) -> IntegerFactors {
    let steps = steps()
    let rounding = WeightRounding(self, steps)
    let weights = try convolution.weights.values()
    let area = convolution.kernel * convolution.kernel
    var integers: [Int8] = []
    var scales: [Float] = []
    for output in 0..<convolution.outputChannels {
      let filter = (0..<depth).map { weights[output * depth + $0] * steps.sizes[$0 / area] }
      let scale = scale(of: filter)
      scales.append(scale)
      integers += rounding.rounded(filter.map { Double($0) / Double(scale) })
    }
    return IntegerFactors(input: steps, weights: integers, scales: scales, bias: convolution.bias)
  }

  /// What 1 is worth in a filter: every weight and every pair of weights finds room.
  private func scale(of filter: [Float]) -> Float {
    let area = convolution.kernel * convolution.kernel
    var largest: Float = 1e-12
    for (index, weight) in filter.enumerated() {
      largest = max(largest, abs(weight) / 127)
      let partner = (index / area ^ 1) * area + index % area
      guard partner < filter.count, filter[partner] * weight > 0 else { continue }
      largest = max(largest, abs(weight + filter[partner]) / Float(IntegerFactors.pairLimit))
    }
    return largest
  }
}

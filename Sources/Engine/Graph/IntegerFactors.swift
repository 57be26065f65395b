/// How samples are stored in 8 bits: sample `x` of a channel is `zero + x / step`, rounded to 0…255.
public struct Steps: Hashable, Sendable {
  /// What one step of each channel is worth; positive.
  public let sizes: [Float]

  /// The number that stands for zero in each channel.
  public let zeros: [UInt8]

  /// Creates steps of as many channels as there are sizes.
  public init(sizes: [Float], zeros: [UInt8]) {
    precondition(sizes.count == zeros.count, "one zero per channel")
    precondition(sizes.allSatisfy { $0 > 0 && $0.isFinite }, "steps have a size")
    self.sizes = sizes
    self.zeros = zeros
  }
}

/// What a convolution multiplies where its picture is stored in 8 bits.
///
/// The products and their sums are whole numbers, exact with every instruction set: machines without
/// VNNI add two products in 16 bits, which holds them as long as the weights of a pair of input
/// channels add up to no more than ``pairLimit``.
public struct IntegerFactors: Sendable {
  /// How the picture is stored.
  public let input: Steps

  /// The weights in PyTorch's order, each divided by the scale of its output channel after it was
  /// multiplied by the step of its input channel.
  public let weights: [Int8]

  /// What 1 in a sum of products is worth, per output channel.
  public let scales: [Float]

  /// One number per output channel, added before the activation.
  public let bias: [Float]

  /// The largest sum of positive, and of negative, weights of input channels 2i and 2i + 1 at one
  /// place of the kernel: 255 · 128 is below 2¹⁵.
  public static let pairLimit = 128

  /// Creates factors for a convolution of as many output channels as there are scales.
  public init(input: Steps, weights: [Int8], scales: [Float], bias: [Float]) {
    precondition(scales.count == bias.count, "one bias per output channel")
    self.input = input
    self.weights = weights
    self.scales = scales
    self.bias = bias
  }

  /// Whether sums of products over so many input channels are exact with every instruction set.
  public func isExact(inputChannels: Int) -> Bool {
    let area = weights.count / (scales.count * inputChannels)
    for output in 0..<scales.count {
      for pair in stride(from: 0, to: inputChannels, by: 2) {
        for place in 0..<area {
          let two = (pair..<min(pair + 2, inputChannels)).map {
            Int(weights[(output * inputChannels + $0) * area + place])
          }
          let positive = two.reduce(0) { $0 + max($1, 0) }
          let negative = two.reduce(0) { $0 + max(-$1, 0) }
          guard max(positive, negative) <= Self.pairLimit else { return false }
        }
      }
    }
    return true
  }
}

extension Graph {
  /// How each value is stored when convolutions multiply 8-bit numbers: in 8 bits where a convolution
  /// or a concatenation writes it and nobody reads it but such convolutions.
  func integerTypes() -> [SampleType] {
    var steps = storableSteps()
    // A convolution whose picture keeps its precision takes no residual in 8 bits, and so on.
    while let refused = firstRefused(steps) { steps[refused] = nil }
    return steps.map { $0.map { .uint8($0) } ?? .float32 }
  }

  /// The steps of every value that can be written in 8 bits and that a convolution with factors reads.
  private func storableSteps() -> [Steps?] {
    var steps = [Steps?](repeating: nil, count: valueCount)
    for operation in operations {
      guard case .convolution(let convolution, _) = operation.kind else { continue }
      steps[operation.operands[0].index] = convolution.integer?.input
    }
    let written = operations.filter { $0.canStoreSteps }.map(\.result.index)
    for index in steps.indices where !written.contains(index) || index == output?.index {
      steps[index] = nil
    }
    return steps
  }

  private func firstRefused(_ steps: [Steps?]) -> Int? {
    for operation in operations {
      let picture = operation.operands[0].index
      for (position, operand) in operation.operands.enumerated() {
        guard let stored = steps[operand.index] else { continue }
        guard case .convolution(let convolution, _) = operation.kind,
          let factors = convolution.integer,
          position == 0 ? factors.input == stored : steps[picture] != nil
        else { return operand.index }
      }
    }
    return nil
  }
}

extension Operation {
  fileprivate var canStoreSteps: Bool {
    switch kind {
    case .convolution, .concatenation, .concatenationAfterSum: true
    default: false
    }
  }
}

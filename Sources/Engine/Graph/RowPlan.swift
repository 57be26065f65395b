/// Which rows of its values a graph computes where only some rows of its output are wanted.
///
/// A layer near the input is needed as far around the core as the layers after it look, one near the output
/// hardly at all. Every window of a plan computes equally many rows of a value, wherever its core lies; what the
/// other rows hold is undefined.
struct RowPlan {
  /// The rows of a value.
  struct Span: Hashable, Sendable {
    /// How many are computed.
    let count: Int

    /// How many there are.
    fileprivate let height: Int

    /// How many there are for each row of the graph's first input.
    fileprivate let scale: Int

    /// How many are needed on each side of the core.
    fileprivate let margin: Int

    /// The first one computed for a core in rows of the graph's first input.
    func first(around core: Range<Int>) -> Int {
      min(needed(around: core).lowerBound, height - count)
    }

    fileprivate func needed(around core: Range<Int>) -> Range<Int> {
      let (start, end) = (core.lowerBound * scale, core.upperBound * scale)
      return max(0, start - margin)..<min(height, end + margin)
    }
  }

  private let spans: [Span]

  /// Plans for windows with their cores in these rows of the first input; for whole windows if there are none.
  init(_ graph: Graph, cores: [Range<Int>]) {
    let (heights, margins) = (graph.heights, graph.margins)
    spans = (0..<graph.valueCount).map { index in
      let height = heights[index]
      let scale = height / graph.height
      guard !cores.isEmpty, height % graph.height == 0 else {
        return Span(count: height, height: height, scale: scale, margin: height)
      }
      let margin = min(margins[index], height)
      let widest = Span(count: 0, height: height, scale: scale, margin: margin)
      let count = cores.map { widest.needed(around: $0).count }.max() ?? height
      return Span(count: count, height: height, scale: scale, margin: margin)
    }
  }

  /// The rows of a value.
  subscript(_ value: Graph.Value) -> Span { spans[value.index] }
}

extension Graph {
  /// Multiplications with addition in the convolutions of one run, for windows with these cores.
  func multiplyAddCount(cores: [Range<Int>]) -> Int {
    let rows = RowPlan(self, cores: cores)
    return operations.reduce(0) { sum, operation in
      guard case .convolution(let convolution, _) = operation.kind else {
        return sum + multiplyAddCount(of: operation)
      }
      let width = shape(of: operation.result).width
      return sum + rows[operation.result].count * width * convolution.multiplyAddsPerPixel
    }
  }

  /// What a run takes, for comparison: these multiplications, or the pixels of a network without any.
  func work(cores: [Range<Int>]) -> Int {
    max(multiplyAddCount(cores: cores), inputs.first.map { shape(of: $0).pixelCount } ?? 1)
  }

  fileprivate var height: Int { inputs.first.map { shape(of: $0).height } ?? 1 }

  /// The rows of every value that are needed on each side of the core.
  fileprivate var margins: [Int] {
    var margins = [Int](repeating: 0, count: valueCount)
    for operation in operations.reversed() {
      let result = operation.result.index
      // A result with fewer rows than the input is computed whole, and so is what it is made of.
      let margin = heights[result] % height == 0 ? margins[result] : .max
      for (place, operand) in operation.operands.enumerated() {
        let reach = operation.kind.margin(ofOperand: place, around: margin) ?? .max
        margins[operand.index] = max(margins[operand.index], reach)
      }
    }
    return margins
  }
}

extension Operation.Kind {
  /// The rows of an operand on each side of the core that so many rows of the result there are made of; nil
  /// for all.
  fileprivate func margin(ofOperand place: Int, around rows: Int) -> Int? {
    // What all is needed of stays so.
    guard rows < 1 << 24 else { return nil }
    switch self {
    case .convolution(let convolution, _):
      guard place == 0 else { return rows }
      guard convolution.stride == 1 else { return nil }
      let before = convolution.padding.before
      return rows + max(before, convolution.kernel - 1 - before)
    case .enlargedConvolution: return (rows + 2) / 2
    case .bicubic(let factor): return SumTerm.Enlargement.bicubic.margin(factor, around: rows)
    case .pixelShuffle(let factor):
      return SumTerm.Enlargement.pixelShuffle.margin(factor, around: rows)
    case .nearest(let factor): return SumTerm.Enlargement.nearest.margin(factor, around: rows)
    case .pixelUnshuffle(let factor), .mean(let factor): return rows * factor
    case .sumOfEnlarged(let terms, let factor): return terms[place].margin(factor, around: rows)
    case .concatenationAfterSum(let terms, let factor):
      guard place < terms.count else { return rows }
      return terms[place].margin(factor, around: rows * factor)
    case .activation, .quantization, .weightedSum, .parameterFreeAttention, .concatenation:
      return rows
    case .groupNorm, .windowAttention, .attention: return nil
    }
  }
}

extension SumTerm {
  /// The rows of the operand that so many of the sum are made of, on each side.
  fileprivate func margin(_ factor: Int, around rows: Int) -> Int {
    enlargement?.margin(factor, around: rows) ?? rows
  }
}

extension SumTerm.Enlargement {
  /// The rows of the small picture that so many of the large one are made of, on each side.
  fileprivate func margin(_ factor: Int, around rows: Int) -> Int {
    let whole = (rows + factor - 1) / factor
    return self == .bicubic ? whole + 2 : whole
  }
}

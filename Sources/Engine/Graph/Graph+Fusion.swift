extension Graph {
  /// The same graph without large pictures that are written only to be read again.
  ///
  /// These are enlarged pictures that are then summed, and sums that are then unshuffled beside other channels.
  /// What reads them makes them, a few rows at a time, in the cache; where two operations do so, a picture is
  /// enlarged twice, which takes less time than to write it once. The results are the same to the bit.
  var fused: Graph {
    var (graph, absorbed) = (self, Set<Value>())
    let fusions = Fusions(self)
    for (place, operation) in operations.enumerated() {
      guard let fusion = fusions.fusion(of: operation) else { continue }
      graph.replace(place, with: fusion.operation)
      absorbed.formUnion(fusion.absorbed)
    }
    // From the end: a sum is gone before the enlarged picture that it read.
    for value in absorbed.sorted(by: { $0.index > $1.index }) { graph.removeUnread(value) }
    return graph
  }
}

/// Finds the operations that can do the work of those before them.
private struct Fusions {
  typealias Fusion = (operation: Operation, absorbed: [Graph.Value])

  /// A sum with the operands that its terms are made of.
  private struct Sum {
    var terms: [SumTerm] = []
    var operands: [Graph.Value] = []
    var absorbed: [Graph.Value] = []
  }

  // By the number of the value that is written or read.
  private let writers: [Int: Operation]
  private var readers: [Int: [Operation]] = [:]
  private let output: Graph.Value?

  init(_ graph: Graph) {
    output = graph.output
    writers = Dictionary(uniqueKeysWithValues: graph.operations.map { ($0.result.index, $0) })
    for operation in graph.operations {
      for value in operation.operands { readers[value.index, default: []].append(operation) }
    }
  }

  func fusion(of operation: Operation) -> Fusion? {
    switch operation.kind {
    case .weightedSum: enlarging(operation)
    case .concatenation: unshuffling(operation)
    default: nil
    }
  }

  private func enlarging(_ operation: Operation) -> Fusion? {
    let factors = operation.operands.compactMap { enlargement(of: $0)?.factor }
    guard let factor = factors.first, let sum = sum(operation, factor: factor) else { return nil }
    let fused = Operation(
      kind: .sumOfEnlarged(sum.terms, factor: factor),
      operands: sum.operands,
      result: operation.result,
    )
    return (fused, sum.absorbed)
  }

  private func unshuffling(_ concatenation: Operation) -> Fusion? {
    let first = concatenation.operands[0]
    guard let move = writer(of: first), case .pixelUnshuffle(let factor) = move.kind,
      let summing = writer(of: move.operands[0]), let sum = sum(summing, factor: factor)
    else { return nil }
    let fused = Operation(
      kind: .concatenationAfterSum(sum.terms, factor: factor),
      operands: sum.operands + concatenation.operands.dropFirst(),
      result: concatenation.result,
    )
    return (fused, [first, summing.result] + sum.absorbed)
  }

  /// A weighted sum that makes terms larger by a factor itself.
  private func sum(_ operation: Operation, factor: Int) -> Sum? {
    guard case .weightedSum(let weights) = operation.kind else { return nil }
    var sum = Sum()
    for (weight, operand) in zip(weights, operation.operands) {
      let found = enlargement(of: operand).flatMap { $0.factor == factor ? $0 : nil }
      sum.terms.append(SumTerm(weight: weight, enlargement: found?.kind))
      sum.operands.append(found?.small ?? operand)
      if found != nil { sum.absorbed.append(operand) }
    }
    return sum
  }

  /// How a value that only sums read is made from a smaller one.
  ///
  /// Shuffled pixels only where one sum reads them: what they are made of is as large.
  private func enlargement(
    of value: Graph.Value
  ) -> (kind: SumTerm.Enlargement, factor: Int, small: Graph.Value)? {
    guard let writer = writers[value.index], value != output, onlySumsRead(value) else {
      return nil
    }
    let small = writer.operands[0]
    switch writer.kind {
    case .bicubic(let factor): return (.bicubic, factor, small)
    case .nearest(let factor): return (.nearest, factor, small)
    case .pixelShuffle(let factor):
      return readers[value.index]?.count == 1 ? (.pixelShuffle, factor, small) : nil
    default: return nil
    }
  }

  private func onlySumsRead(_ value: Graph.Value) -> Bool {
    (readers[value.index] ?? []).allSatisfy {
      guard case .weightedSum = $0.kind else { return false }
      return true
    }
  }

  /// What writes a value that is read once.
  private func writer(of value: Graph.Value) -> Operation? {
    readers[value.index]?.count == 1 && value != output ? writers[value.index] : nil
  }
}

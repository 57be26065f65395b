extension Graph {
  /// The same graph without large pictures that are written only to be read once.
  ///
  /// These are shuffled pixels that are then summed, and sums that are then unshuffled beside other channels.
  /// What reads them makes them, a row at a time, in the cache. The results are the same to the bit.
  var fused: Graph {
    var (graph, absorbed) = (self, Set<Int>())
    let fusions = Fusions(self)
    for (place, operation) in operations.enumerated() {
      guard let fusion = fusions.fusion(of: operation) else { continue }
      graph.replace(place, with: fusion.operation)
      absorbed.formUnion(fusion.absorbed.map(\.index))
    }
    graph.remove(resultsIn: absorbed)
    return graph
  }
}

/// Finds the operations that can do the work of those before them.
private struct Fusions {
  typealias Fusion = (operation: Operation, absorbed: [Graph.Value])

  // The writers of values that are read once, by the value's number.
  private let writers: [Int: Operation]

  init(_ graph: Graph) {
    var readerCounts = [Int](repeating: 0, count: graph.valueCount)
    for value in graph.operations.flatMap(\.operands) { readerCounts[value.index] += 1 }
    let once = graph.operations.filter {
      readerCounts[$0.result.index] == 1 && $0.result != graph.output
    }
    writers = Dictionary(uniqueKeysWithValues: once.map { ($0.result.index, $0) })
  }

  func fusion(of operation: Operation) -> Fusion? {
    switch operation.kind {
    case .weightedSum(let weights): shuffling(operation, weights)
    case .concatenation: unshuffling(operation)
    default: nil
    }
  }

  private func shuffling(_ sum: Operation, _ weights: [Float]) -> Fusion? {
    for (place, term) in sum.operands.enumerated() {
      guard let writer = writers[term.index], case .pixelShuffle(let factor) = writer.kind
      else { continue }
      var operands = sum.operands
      operands[place] = writer.operands[0]
      let kind = Operation.Kind.sumWithShuffled(weights, term: place, factor: factor)
      return (Operation(kind: kind, operands: operands, result: sum.result), [term])
    }
    return nil
  }

  private func unshuffling(_ concatenation: Operation) -> Fusion? {
    let first = concatenation.operands[0]
    guard let move = writers[first.index], case .pixelUnshuffle(let factor) = move.kind,
      let sum = writers[move.operands[0].index], case .weightedSum(let weights) = sum.kind
    else { return nil }
    let fused = Operation(
      kind: .concatenationAfterSum(weights, factor: factor),
      operands: sum.operands + concatenation.operands.dropFirst(),
      result: concatenation.result,
    )
    return (fused, [first, sum.result])
  }
}

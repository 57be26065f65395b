extension Convolution {
  /// The four 2×2 convolutions that a 3×3 convolution of a twice enlarged picture consists of.
  ///
  /// Where every pixel appears four times, three neighbours in a row are only two different ones. For
  /// even rows of the result the first weight meets the row above and the sum of the other two the row
  /// itself; for odd rows it is the other way round; and so for columns. That takes 16 multiplications in
  /// place of 36, and the enlarged picture never exists. The phases are in the order (even, even),
  /// (even, odd), (odd, even), (odd, odd); the picture is padded on all sides, and a phase's pixels begin
  /// at row 0 or 1 and column 0 or 1 of its result.
  var phases: [Convolution] {
    precondition(kernel == 3 && stride == 1 && padding == Padding(before: 1, after: 1))
    return [(0, 0), (0, 1), (1, 0), (1, 1)].map { row, column in
      Convolution(
        inputChannels: inputChannels,
        outputChannels: outputChannels,
        kernel: 2,
        padding: Padding(before: 1, after: 1),
        weights: weights.map(count: weights.count / 9 * 4) { weights in
          Convolution.phase(of: weights, row: row, column: column)
        },
        bias: bias,
        activation: activation,
      )
    }
  }

  private static func phase(of weights: [Float], row: Int, column: Int) -> [Float] {
    var phase = [Float](repeating: 0, count: weights.count / 9 * 4)
    for index in weights.indices {
      let (y, x) = (index / 3 % 3, index % 3)
      let target = (y + 1 - row) / 2 * 2 + (x + 1 - column) / 2
      phase[index / 9 * 4 + target] += weights[index]
    }
    return phase
  }
}

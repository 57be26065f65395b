/// How one side of a picture is covered by windows that overlap.
struct OverlapPlan {
  /// The windows, in order and of one length; the last one may reach beyond the picture.
  let windows: [Range<Int>]

  private let length: Int

  /// As few windows as overlap by an eighth of their length, evenly spread and inside the picture if that
  /// is long enough.
  init(even length: Int, side: Int, alignment: Int) {
    self.length = length
    let side = min(side, length.rounded(upTo: alignment))
    let step = side - side / 8
    let count = length <= side ? 1 : (length - side + step - 1) / step + 1
    windows = (0..<count).map { index in
      let start = count == 1 ? 0 : (length - side) * index / (count - 1)
      return start..<(start + side)
    }
  }

  /// Windows as in the papers' code: every seven eighths of a window, moved back to the end where
  /// they would go beyond it.
  init(paper length: Int, side: Int, alignment: Int, padsPicture: Bool) {
    self.length = length
    let padded = length.rounded(upTo: alignment)
    let side = min(side, padded)
    let end = padsPicture ? padded : max(length, side)
    let starts = stride(from: 0, to: end, by: side - side / 8).map { min($0, end - side) }
    windows = starts.indices.filter { $0 == 0 || starts[$0] > starts[$0 - 1] }
      .map { starts[$0]..<(starts[$0] + side) }
  }

  /// The part of each window that lies in the picture.
  var visible: [Range<Int>] { windows.map { $0.clamped(to: 0..<length) } }

  /// How much each window counts in its visible part, for each of `scale` output samples per pixel; at
  /// every sample the shares of all windows sum to 1.
  func shares(scale: Int, isFeathered: Bool) -> [[Float]] {
    let weights = windows.map { window in
      window.clamped(to: 0..<length).scaled(by: scale).map { position in
        isFeathered ? Self.ramp(position, in: window.scaled(by: scale)) : 1
      }
    }
    var sums = [Float](repeating: 0, count: length * scale)
    for (range, weights) in zip(visible, weights) {
      for (i, weight) in weights.enumerated() { sums[range.lowerBound * scale + i] += weight }
    }
    return zip(visible, weights).map { range, weights in
      weights.enumerated().map { $1 / sums[range.lowerBound * scale + $0] }
    }
  }

  // The distance to the nearer end: where two windows overlap, one fades out as the other fades in.
  private static func ramp(_ position: Int, in window: Range<Int>) -> Float {
    min(Float(position - window.lowerBound), Float(window.upperBound - 1 - position)) + 0.5
  }
}

extension Range<Int> {
  fileprivate func scaled(by scale: Int) -> Range<Int> {
    (lowerBound * scale)..<(upperBound * scale)
  }
}

extension Int {
  /// The smallest multiple of `unit` that is at least this.
  func rounded(upTo unit: Int) -> Int { (self + unit - 1) / unit * unit }

  /// The position inside 0 ..< length that a mirror at both ends shows at this one.
  func reflected(in length: Int) -> Int {
    guard length > 1 else { return 0 }
    let period = 2 * (length - 1)
    let position = ((self % period) + period) % period
    return Swift.min(position, period - position)
  }
}

/// A tensor in a file: what it is, and where its elements lie.
struct StoredTensor {
  let name: [UInt8]
  let type: ElementType
  let dimensions: [Int]

  /// Elements from one index to the next, per dimension; nil for the row-major order without gaps.
  var strides: [Int]?

  /// The bytes of the file from the first element to the last.
  let range: Range<Int>

  /// The number of elements.
  var count: Int { dimensions.reduce(1, *) }

  /// The elements in row-major order as floats; nil for types that are no weights.
  func floats(in file: WeightsFile) throws(WeightsFault) -> [Float]? {
    let stored = try file.bytes(range).withUnsafeBytes { type.floats($0) }
    guard let strides, let stored else { return stored }
    return indices(strides: strides).map { stored[$0] }
  }

  /// The elements' bytes in row-major order.
  func bytes(in file: WeightsFile) throws(WeightsFault) -> [UInt8] {
    let stored = try file.bytes(range)
    guard let strides else { return stored }
    let size = type.byteCount
    return indices(strides: strides).flatMap { stored[($0 * size)..<(($0 + 1) * size)] }
  }

  /// Whether no element is NaN or infinity.
  func isFinite(in file: WeightsFile) throws(WeightsFault) -> Bool {
    try floats(in: file)?.allSatisfy(\.isFinite) ?? true
  }

  /// Where each element lies, counted in elements from the first, in row-major order.
  private func indices(strides: [Int]) -> [Int] {
    var indices = count == 0 ? [] : [0]
    for (size, stride) in zip(dimensions, strides) {
      indices = indices.flatMap { start in (0..<size).map { start + $0 * stride } }
    }
    return indices
  }
}

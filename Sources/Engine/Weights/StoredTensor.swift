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
    return places(strides).map { stored[$0] }
  }

  /// The elements' bytes in row-major order.
  func bytes(in file: WeightsFile) throws(WeightsFault) -> [UInt8] {
    let stored = try file.bytes(range)
    guard let strides else { return stored }
    let size = type.byteCount
    return places(strides).flatMap { stored[($0 * size)..<(($0 + 1) * size)] }
  }

  /// Whether no element is NaN or infinity.
  func isFinite(in file: WeightsFile) throws(WeightsFault) -> Bool {
    let stored = try file.bytes(range).withUnsafeBytes { type.floats($0) }
    guard let strides, let stored else { return stored?.allSatisfy(\.isFinite) ?? true }
    return places(strides).allSatisfy { stored[$0].isFinite }
  }

  private func places(_ strides: [Int]) -> ElementPlaces {
    ElementPlaces(dimensions: dimensions, strides: strides)
  }
}

/// Where each element of a tensor lies, counted in elements from the first, in row-major order.
///
/// One at a time: a tensor may have many more elements than its file.
private struct ElementPlaces: Sequence, IteratorProtocol {
  private let dimensions: [Int]
  private let strides: [Int]
  private var index: [Int]
  private var place = 0
  private(set) var underestimatedCount: Int

  init(dimensions: [Int], strides: [Int]) {
    self.dimensions = dimensions
    self.strides = strides
    index = Array(repeating: 0, count: dimensions.count)
    underestimatedCount = dimensions.reduce(1, *)
  }

  mutating func next() -> Int? {
    guard underestimatedCount > 0 else { return nil }
    underestimatedCount -= 1
    defer { advance() }
    return place
  }

  // Nothing is added that an element does not reach, so nothing overflows.
  private mutating func advance() {
    for axis in index.indices.reversed() {
      if index[axis] + 1 < dimensions[axis] {
        index[axis] += 1
        place += strides[axis]
        return
      }
      place -= index[axis] * strides[axis]
      index[axis] = 0
    }
  }
}

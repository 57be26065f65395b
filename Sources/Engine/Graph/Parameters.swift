/// Numbers of a network that are read when a kernel is made from them.
///
/// A graph of a large network is built, measured and cut without a copy of its weights.
public struct Parameters: Sendable {
  /// How many there are.
  public let count: Int

  private let read: @Sendable () throws(EngineError) -> [Float]

  /// Numbers that `read` returns, the same `count` of them at every call.
  public init(count: Int, _ read: @escaping @Sendable () throws(EngineError) -> [Float]) {
    self.count = count
    self.read = read
  }

  /// Returns the numbers.
  public func values() throws(EngineError) -> [Float] {
    let values = try read()
    precondition(values.count == count, "parameters keep their number")
    return values
  }

  /// The same numbers, changed by a function when they are read.
  public func map(
    count: Int? = nil,
    _ change: @escaping @Sendable ([Float]) -> [Float],
  ) -> Parameters {
    Parameters(count: count ?? self.count) { [read] () throws(EngineError) in change(try read()) }
  }
}

extension Parameters: ExpressibleByArrayLiteral {
  /// Numbers in memory.
  public init(_ values: [Float]) {
    self.init(count: values.count) { values }
  }

  /// Numbers in memory.
  public init(arrayLiteral elements: Float...) {
    self.init(elements)
  }
}

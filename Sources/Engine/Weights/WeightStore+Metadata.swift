extension WeightStore {
  /// A whole number in the metadata.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when it is missing or out of range.
  func number(_ name: String, in range: ClosedRange<Int>) throws(EngineError) -> Int {
    guard let value = Int(try text(name)), range.contains(value) else {
      throw failure(
        "its metadata '\(name)' is not a number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return value
  }

  /// A positive number in the metadata.
  func positiveFloat(_ name: String) throws(EngineError) -> Float {
    guard let value = Float(try text(name)), value.isFinite, value > 0 else {
      throw failure("its metadata '\(name)' is not a positive number")
    }
    return value
  }

  private func text(_ name: String) throws(EngineError) -> String {
    guard let text = metadata[name] else { throw failure("its metadata lacks '\(name)'") }
    return text
  }
}

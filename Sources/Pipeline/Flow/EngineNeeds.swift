public import Engine

/// What a run must know of the engine that will enlarge its pictures.
public struct EngineNeeds: Hashable, Sendable {
  /// The memory that it takes at least, in bytes.
  public var leastMemory = 0

  /// The memory of an enlarged picture, in bytes.
  public var resultMemory = 0

  /// What decides on the pictures besides the run's other options, such as the model.
  public var facts: [WorkOptions.Fact] = []

  /// About how many multiplications a pixel of the source takes; decides on the length of segments.
  public var multiplicationsPerPixel = 0.0

  /// An engine that takes nothing and is always the same.
  public init() {}

  /// Chooses an engine for upright pictures of one size that become pictures of another, both in pixels.
  public typealias Choice = (
    _ source: (width: Int, height: Int), _ target: (width: Int, height: Int)
  ) throws(EngineError) -> EngineNeeds
}

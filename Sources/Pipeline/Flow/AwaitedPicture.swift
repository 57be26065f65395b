internal import Engine

/// A picture of which it may not be decided yet whether the engine enlarges it.
final class AwaitedPicture: Sendable {
  /// What becomes of the picture.
  enum Decision: Sendable {
    /// The engine has finished it.
    case upscaled(HeldResult, ready: Instant)

    /// It goes on as it came.
    case skipped(Image)

    /// It is left out.
    case dropped

    /// The engine refused it.
    case failed(EngineError)
  }

  /// A picture that goes on, enlarged by the engine or as it came.
  struct Result {
    let image: Image
    let isEnlarged: Bool
    let passage: Passage
  }

  private let arrival: Instant
  private let decision = Monitor<Decision?>(nil)

  init(arrival: Instant) {
    self.arrival = arrival
  }

  /// Delivers the decision; called exactly once.
  func decide(_ decision: Decision) {
    self.decision.withLock { $0 = decision }
    self.decision.wakeAll()
  }

  /// Blocks until the picture can go on; `nil` when it is left out.
  ///
  /// - Throws: The error that ended the work on it.
  func wait() throws(EngineError) -> Result? {
    switch decision.wait(until: { $0 }) {
    case .upscaled(let result, let ready):
      let passage = Passage(arrival: arrival, ready: ready)
      return Result(image: try result.pending.wait(), isEnlarged: true, passage: passage)
    case .skipped(let image):
      return Result(
        image: image,
        isEnlarged: false,
        passage: Passage(arrival: arrival, ready: .now)
      )
    case .dropped: return nil
    case .failed(let error): throw error
    }
  }
}

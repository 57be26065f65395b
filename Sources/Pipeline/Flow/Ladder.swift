/// The ways to enlarge pictures between which a live run moves with the load, the best first.
public struct Ladder: Sendable {
  /// One way.
  public struct Rung: Sendable {
    let cost: Duration
    let upscale: Transcode.Upscale

    /// A way in which a picture takes about `cost`.
    public init(cost: Duration, upscale: @escaping Transcode.Upscale) {
      self.cost = cost
      self.upscale = upscale
    }
  }

  /// Is told the numbers of the rung before and of the one that the next frame gets.
  public typealias Observer = @Sendable (_ old: Int, _ new: Int) -> Void

  let rungs: [Rung]
  let onChange: Observer

  /// Rungs, each cheaper than the one before; at least one.
  ///
  /// - Parameters:
  ///   - rungs: The ways, the best first.
  ///   - onChange: Is called on the threads of the run whenever the rung changes.
  public init(_ rungs: [Rung], onChange: @escaping Observer = { _, _ in }) {
    precondition(!rungs.isEmpty, "there is a way to enlarge pictures")
    self.rungs = rungs
    self.onChange = onChange
  }

  /// The control of a live run whose frames come at an interval; none where there is nothing to choose.
  func control(_ live: LiveOptions?, interval: Duration, capacity: Int) -> RungControl? {
    guard let live, rungs.count > 1 else { return nil }
    return RungControl(
      costs: rungs.map(\.cost),
      interval: interval,
      budget: live.maximumDelay,
      capacity: capacity,
    )
  }
}

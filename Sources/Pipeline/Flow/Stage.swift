/// A loop that runs on a thread of its own until its input ends or something fails.
protocol Stage: AnyObject, Sendable {
  /// Runs to the end; every wait for a neighbour goes through `meter`.
  func run(_ meter: StageMeter) throws(MediaError)

  /// Tells the neighbours that nothing more comes.
  ///
  /// Called after a run without an error; an error must be known before a neighbour sees an end.
  func close()
}

/// Whether a run that has failed waits for a stage to end.
enum StageEnding {
  /// It ends soon after its queues, and owns what must be cleaned up.
  case awaited

  /// It may be waiting for the engine, and owns nothing that outlives the process.
  case abandoned
}

internal import Engine
internal import Glibc

/// The folder in which a run keeps the segments that it has finished.
///
/// What a crash leaves of a segment or of the state has another name than what is complete, and each
/// segment is read and compared before it is used. One run at a time may have the folder. A class because
/// three stages share it; safe to use from any thread.
final class WorkFolder: Sendable {
  let path: MediaPath

  /// Where the output lies until it is complete.
  let temporary: MediaPath

  /// The second name of a file that is replaced, while it is replaced.
  var former: MediaPath { temporary.sibling(before: ".vsr-former-", after: "") }

  /// The frames of every segment but the last.
  let segmentLength: Int

  /// The frames that an earlier run finished.
  let storedFrames: Int

  /// The frames that an earlier run finished and that cannot be used.
  let lostFrames: Int

  /// Whether an earlier run wrote the output and was killed before it had removed its work.
  let isComplete: Bool

  private struct State {
    var folder: LockedFolder?
    var record: WorkState
    var isClosed = false
  }

  private let state: Monitor<State>
  private let cancellation: Cancellation

  /// Opens the folder for `output`, if an earlier run left one, and checks what is in it.
  ///
  /// - Throws: A ``MediaError`` of kind `usage` or `refused` when it belongs to another job, and of kind
  ///   `cannotCreate` when another run has it.
  init(
    _ options: WorkOptions,
    output: MediaPath,
    input: [WorkOptions.Fact],
    facts: [WorkOptions.Fact],
    segmentLength: Int,
    _ cancellation: Cancellation,
  ) throws(MediaError) {
    path = options.folder(for: output)
    temporary = options.temporary(for: output)
    self.segmentLength = segmentLength
    self.cancellation = cancellation
    let folder = try LockedFolder(existing: path)
    let found = folder == nil ? nil : WorkState(reading: path)
    let hasState = unsafe access(path.appending(WorkState.name).bytes, F_OK) == 0
    guard found != nil || !hasState else {
      let reason = "its state is damaged, or of another version; remove the folder to begin anew"
      throw MediaError(.refused, .resume, path.quoted, reason)
    }
    try found?.checkSame(input: input, facts, path)
    isComplete = found?.hasMade(output) ?? false
    var record = found ?? WorkState(input: input, facts: facts)
    if !isComplete {
      record.segments = try WorkFolder.intact(record.segments, in: path, cancellation)
    }
    storedFrames = record.frameCount
    lostFrames = (found?.frameCount ?? 0) - record.frameCount
    state = Monitor(State(folder: folder, record: record))
  }

  /// Makes the folder if need be, and removes from it what is not complete.
  func create() throws(MediaError) {
    try state.withLock { (state) throws(MediaError) in
      if state.folder == nil { state.folder = try LockedFolder.create(path) }
      let kept = Set(state.record.segments.indices.map(WorkFolder.name))
      state.folder?.remove { WorkFolder.isOurs($0) && !kept.contains($0) && $0 != WorkState.name }
      for leftover in [temporary, former] { unsafe unlink(leftover.bytes) }
      try state.record.write(to: path, cancellation)
    }
  }

  /// Says that the run has ended without output: what is finished stays, and without any the folder goes.
  ///
  /// - Returns: The frames that stay.
  func close() -> Int {
    state.withLock { state in
      state.isClosed = true
      let frames = state.record.frameCount
      if frames == 0 { remove(&state) }
      state.folder = nil
      return frames
    }
  }
}

// The segments.
extension WorkFolder {
  /// Begins the next segment.
  func write() throws(MediaError) -> SegmentWriter {
    let number = state.withLock { $0.record.segments.count }
    return try SegmentWriter(path.appending(WorkFolder.name(number)), cancellation)
  }

  /// Finishes a segment; from then on a crash costs none of its frames.
  func finish(_ writer: SegmentWriter) throws(MediaError) {
    try state.withLock { (state) throws(MediaError) in
      guard !state.isClosed else { return }
      state.record.segments.append(try writer.finish())
      try state.record.write(to: path, cancellation)
    }
  }

  /// Reads the segment of this number.
  func read(_ number: Int, timeBase: Rational) throws(MediaError) -> SegmentReader {
    try SegmentReader(path.appending(WorkFolder.name(number)), timeBase: timeBase)
  }

  private static func name(_ number: Int) -> String {
    let digits = String(number)
    return "segment-" + String(repeating: "0", count: max(6 - digits.count, 0)) + digits
  }

  private static func isOurs(_ name: String) -> Bool {
    name == WorkState.name || name.hasSuffix(".part") || name.hasPrefix("segment-")
  }

  private static func intact(
    _ segments: [WorkState.Segment],
    in folder: MediaPath,
    _ cancellation: Cancellation,
  ) throws(MediaError) -> [WorkState.Segment] {
    for (number, segment) in segments.enumerated() {
      if let cancelled = cancellation.error { throw cancelled }
      let isIntact = SegmentReader.isIntact(folder.appending(name(number)), segment)
      if !isIntact { return Array(segments[..<number]) }
    }
    return segments
  }
}

// The output.
extension WorkFolder {
  /// Remembers the complete output before it gets its name.
  ///
  /// A run that is killed then, before its work is removed, must know it again to replace it.
  func note(output: MediaPath) throws(MediaError) {
    try state.withLock { (state) throws(MediaError) in
      state.record.output = WorkState.File(output)
      try state.record.write(to: path, cancellation)
    }
  }

  /// Removes everything: the output is there.
  func remove() {
    state.withLock { remove(&$0) }
  }

  private func remove(_ state: inout State) {
    state.isClosed = true
    // The state last: with it a run that is continued knows that nothing is missing.
    state.folder?.remove { WorkFolder.isOurs($0) && $0 != WorkState.name }
    state.folder?.remove(WorkFolder.isOurs)
    state.folder = nil
    unsafe rmdir(path.bytes)
  }
}

extension WorkState {
  /// - Throws: A ``MediaError`` that says in what the work of another job differs.
  fileprivate func checkSame(
    input: [WorkOptions.Fact],
    _ facts: [WorkOptions.Fact],
    _ folder: MediaPath,
  ) throws(MediaError) {
    guard self.input == input else {
      let reason = "its input was another file, or was changed; remove the folder to begin anew"
      throw MediaError(.refused, .resume, folder.quoted, reason)
    }
    guard self.facts != facts else { return }
    let difference =
      zip(self.facts, facts).first { $0 != $1 }
      .map { "\($0.name) \($0.value), not \($1.value)" } ?? "another version of this program"
    throw MediaError(
      .usage,
      .resume,
      folder.quoted,
      "it was begun with \(difference); give the same options, or remove the folder to begin anew"
    )
  }
}

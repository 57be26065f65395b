internal import Engine

/// How far a run has come.
public struct TranscodeProgress: Hashable, Sendable {
  /// Frames written.
  public let frames: Int

  /// How many of them an earlier run had encoded.
  public let storedFrames: Int

  /// Frames that the output will have; `nil` when the input does not say.
  public let totalFrames: Int?

  /// The presentation time of the last frame written.
  public let position: Duration

  /// Bytes written.
  public let byteCount: Int

  /// The time since the run started.
  public let elapsed: Duration

  /// How busy each stage is.
  public let stages: [StageTime]

  /// What a live run did with its frames until now, and how long they took; `nil` for files.
  public let live: LiveReport?
}

/// What a complete run did.
public struct TranscodeReport: Hashable, Sendable {
  /// The final counts and times.
  public let progress: TranscodeProgress

  /// Frames that were decoded, kept or not.
  public let framesDecoded: Int

  /// Pictures that could not be decoded, or in part only.
  public let damagedPictures: Int

  /// Packets of sound that could not be decoded, and places where the file breaks its format's
  /// rules or ends too early.
  public let damagedPackets: Int

  /// Pictures that were made of two fields.
  public let deinterlacedCount: Int

  /// Pictures that were equal to the one before and took its result.
  public let repeatedCount: Int

  /// Copied packets that the output did not accept.
  public let droppedPackets: Int

  /// Presentation and decoding times that had to be invented or moved.
  public let repairedTimes: Int

  /// The names of tags that the output's container does not keep.
  public let lostTags: [String]

  /// Streams that began only after the output, which they are not in.
  public let lateStreams: Int

  /// What later pictures have and the output has not.
  public let changes: Set<PictureChange>

  /// What a person should know about the complete output.
  public var notices: [Notice] {
    var notices = PictureChange.allCases.filter(changes.contains).map(\.notice)
    if !lostTags.isEmpty {
      notices.append(
        .warning(
          "tags left out, the container has no place for them: \(lostTags.joined(separator: ", "))"
        )
      )
    }
    if lateStreams > 0 {
      notices.append(
        .warning("streams left out, they begin late in the input: \(lateStreams)")
      )
    }
    return notices
  }

  /// Whether the input was damaged so that something is missing in the output.
  public var isDamaged: Bool {
    damagedPictures > 0 || damagedPackets > 0 || droppedPackets > 0
  }
}

/// What the stages count while they run.
///
/// Safe to use from any thread.
final class RunCounters: Sendable {
  struct Values {
    var decoded = 0
    var damagedPictures = 0
    var damagedPackets = 0
    var deinterlaced = 0
    var repeated = 0
    var repairs = 0
    var written = 0
    var position = Duration.zero
    var byteCount = 0
    var droppedPackets = 0
    var repairedTimes = 0
    var lostTags: [String] = []
    var lateStreams: Set<Int> = []
    var changes: Set<PictureChange> = []

    var isDamaged: Bool { damagedPictures > 0 || damagedPackets > 0 }
  }

  private let monitor = Monitor(Values())

  var values: Values { monitor.withLock { $0 } }

  func countDecoded(errors: Int) {
    monitor.withLock { values in
      values.decoded += 1
      values.damagedPictures = errors
    }
  }

  func notePictureErrors(_ count: Int) {
    monitor.withLock { $0.damagedPictures = count }
  }

  func notePacketErrors(_ count: Int) {
    monitor.withLock { $0.damagedPackets = count }
  }

  func noteLateStream(_ index: Int) {
    monitor.withLock { _ = $0.lateStreams.insert(index) }
  }

  func note(_ changes: Set<PictureChange>) {
    monitor.withLock { $0.changes = changes }
  }

  func countDeinterlaced(_ count: Int) {
    monitor.withLock { $0.deinterlaced = count }
  }

  func countRepeated(_ count: Int) {
    monitor.withLock { $0.repeated = count }
  }

  func countRepairs(_ count: Int) {
    monitor.withLock { $0.repairs += count }
  }

  func countWritten(at time: Duration?) {
    monitor.withLock { values in
      values.written += 1
      if let time { values.position = max(values.position, time) }
    }
  }

  func note(bytes: Int, dropped: Int, repaired: Int, lostTags: [String]) {
    monitor.withLock { values in
      values.byteCount = bytes
      values.droppedPackets = dropped
      values.repairedTimes = repaired
      values.lostTags = lostTags
    }
  }
}

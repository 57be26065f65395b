internal import Pipeline

/// Shows how far a run is: a bar that is redrawn, plain lines for a log, or JSON for programs.
struct ProgressLine {
  private let style: ProgressStyle
  private var lastFrames = -1

  /// Seconds between two looks at the run.
  var interval: Double {
    switch style {
    case .plain: 5
    default: 0.5
    }
  }

  /// Nil when nothing is to be shown.
  init?(_ style: ProgressStyle) {
    guard style != .none else { return nil }
    self.style = style
  }

  /// Shows where the run is.
  mutating func show(_ progress: TranscodeProgress) {
    guard progress.frames != lastFrames else { return }
    lastFrames = progress.frames
    switch style {
    case .bar: Console.sayInPlace("\r\(progress.line)\u{1B}[K")
    case .plain: Console.say("vsr: \(progress.line)")
    case .json: Console.say(progress.json(isFinished: false))
    case .auto, .none: break
    }
  }

  /// Ends the display of a run that is complete, or has failed or was interrupted.
  func finish(_ progress: TranscodeProgress, isComplete: Bool) {
    switch style {
    case .bar: Console.sayInPlace("\r\u{1B}[K")
    case .json: Console.say(progress.json(isFinished: isComplete))
    case .plain, .auto, .none: break
    }
  }
}

extension TranscodeProgress {
  /// What this run does; the frames of an earlier one are not counted.
  var framesPerSecond: Double {
    elapsed.seconds > 0 ? Double(frames - storedFrames) / elapsed.seconds : 0
  }

  /// Frames that need nothing more: written, or left out by a live run that had no time for them.
  private var framesDone: Int { frames + (live?.dropped ?? 0) }

  /// The part done, 0…1, when the length is known.
  ///
  /// A container's count may be a little off.
  private var fraction: Double? {
    totalFrames.map { $0 > 0 ? min(1, Double(framesDone) / Double($0)) : 1 }
  }

  private var remaining: Duration? {
    let doneHere = framesDone - storedFrames
    guard let totalFrames, doneHere > 0 else { return nil }
    let left = max(totalFrames - framesDone, 0)
    return .seconds(elapsed.seconds * Double(left) / Double(doneHere))
  }

  /// Everything a person wants to know, in one line.
  fileprivate var line: String {
    var parts: [String] = []
    if let fraction, let totalFrames {
      parts += ["\(Int(fraction * 100))%", "\(frames) of \(totalFrames.counted("frame"))"]
    } else {
      parts += ["\(frames.counted("frame"))", "at \(position.clock)"]
    }
    parts.append("\(framesPerSecond.formatted(2)) fps")
    if let live {
      parts.append("delay \((live.medianDelay.seconds * 1000).formatted(0)) ms")
      let skipped = live.resized + live.dropped
      if skipped > 0 { parts.append("\(skipped) not upscaled") }
    }
    if let remaining { parts.append("ETA \(remaining.clock)") }
    return parts.joined(separator: "  ")
  }

  /// One JSON object: numbers in frames, seconds and bytes; null where unknown.
  fileprivate func json(isFinished: Bool) -> String {
    let fields: [(String, String)] = [
      ("frames", "\(frames)"),
      ("total_frames", totalFrames.map { "\($0)" } ?? "null"),
      ("position", position.seconds.formatted(3)),
      ("elapsed", elapsed.seconds.formatted(3)),
      ("fps", framesPerSecond.formatted(3)),
      ("eta", remaining.map { $0.seconds.formatted(1) } ?? "null"),
      ("bytes", "\(byteCount)"),
      ("finished", "\(isFinished)"),
    ]
    return "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
  }
}

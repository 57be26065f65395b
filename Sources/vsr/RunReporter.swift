internal import Engine
internal import Pipeline

/// What a run of `upscale` or `stream` tells: notices and the plan before, progress while, a summary after.
final class RunReporter: Sendable {
  private let options: ReportOptions.Choice
  private let transcode: Transcode
  private let upscalers: [Upscaler]
  private let rungNames: [String]
  private let outputName: String
  // Whether the run was complete; nil while it goes on.
  private let success = Monitor<Bool?>(nil)
  private let progressThread = Monitor<WorkerThread?>(nil)

  init(
    _ options: ReportOptions,
    _ transcode: Transcode,
    _ upscaler: Upscaler,
    outputName: String,
  ) {
    self.options = options.choice
    self.transcode = transcode
    upscalers = [upscaler]
    rungNames = []
    self.outputName = outputName
  }

  /// For a live run that may enlarge its frames in several ways.
  init(
    _ options: ReportOptions,
    _ transcode: Transcode,
    _ ways: EngineLadder,
    outputName: String,
  ) {
    self.options = options.choice
    self.transcode = transcode
    upscalers = ways.rungs.map(\.upscaler)
    rungNames = ways.rungs.map(\.name)
    self.outputName = outputName
  }

  /// Tells what will be done and begins to show progress; `threads` are the workers that might have been.
  func begin(_ work: WorkPlan, threads: Int) {
    tellPlan()
    tell(work, threads: threads)
    showProgress()
  }

  /// Tells what will be done in which ways and begins to show progress.
  func begin(_ ways: EngineLadder, threads: Int) {
    tellPlan()
    tell(ways.notices)
    for rung in ways.rungs {
      if ways.rungs.count > 1, options.isVerbose {
        Console.say("vsr: \(rung.name): \((rung.cost.seconds * 1000).formatted(1)) ms a frame")
      }
      tell(rung.plan, threads: threads)
    }
    showProgress()
  }

  /// Tells that the next frames are enlarged in another way.
  func tellChange(from old: String, to new: String) {
    guard options.isVerbose else { return }
    let line = "vsr: from \(old) to \(new) at \(transcode.progress.elapsed.clock)"
    // A bar is on the line already.
    options.style == .bar ? Console.sayInPlace("\r\u{1B}[K\(line)\n") : Console.say(line)
  }

  private func tellPlan() {
    let plan = transcode.plan
    tell(plan.notices)
    guard options.isVerbose else { return }
    Console.say(
      "vsr: \(plan.sourceWidth)x\(plan.sourceHeight) to \(plan.width)x\(plan.height), "
        + "model \(upscalers[0].modelLine), \(plan.codec) \(plan.pixelFormat) in \(plan.format)"
    )
  }

  private func tell(_ work: WorkPlan, threads: Int) {
    guard options.isVerbose else { return }
    for line in work.lines(threads: threads) { Console.say("vsr: \(line)") }
  }

  private func showProgress() {
    guard let line = ProgressLine(options.style) else { return }
    let thread = WorkerThread { [self] in show(line) }
    progressThread.withLock { $0 = thread }
  }

  /// Ends the progress and tells how it went; errors are told by who catches them.
  func end(_ result: Result<TranscodeReport, MediaError>) {
    let report = try? result.get()
    success.withLock { $0 = report != nil }
    success.wakeAll()
    progressThread.withLock { $0 }?.join()
    guard let report else { return }
    tell(report.notices)
    if !options.isQuiet {
      let summary = report.summary(areaReused: upscalers.reusedShare, rungNames)
      Console.say("vsr: wrote \(outputName): \(summary)")
    }
    if options.isVerbose { tellStages(report) }
  }

  private func show(_ line: ProgressLine) {
    var line = line
    while true {
      if let isComplete = success.wait(seconds: line.interval, until: { $0 }) {
        return line.finish(transcode.progress, isComplete: isComplete)
      }
      line.show(transcode.progress)
    }
  }

  private func tell(_ notices: [Notice]) {
    for notice in notices {
      switch notice.level {
      case .warning where !options.isQuiet: Console.say("vsr: warning: \(notice.text)")
      case .detail where options.isVerbose: Console.say("vsr: \(notice.text)")
      default: break
      }
    }
  }

  private func tellStages(_ report: TranscodeReport) {
    let stages = StageShares(report.progress, upscalers)
    for stage in stages.shares {
      let percent = Int((stage.share * 100).rounded())
      Console.say("vsr: stage \(stage.name): busy \(percent)% of the time")
    }
    Console.say("vsr: stage \(stages.slowest.name) limits the speed")
  }
}

extension Upscaler {
  /// The weights, how many times larger their pictures are, and what they multiply.
  var modelLine: String { "\(model.name.printable) ×\(model.scale) in \(precision.argument)" }
}

extension ReportOptions {
  /// The options as plain values, for threads.
  struct Choice: Sendable {
    let style: ProgressStyle
    let isQuiet: Bool
    let isVerbose: Bool
  }

  var choice: Choice { Choice(style: style, isQuiet: quiet, isVerbose: verbose) }
}

extension TranscodeReport {
  /// Frames, speed and losses in one line.
  fileprivate func summary(areaReused: Double, _ rungNames: [String]) -> String {
    let seconds = progress.elapsed.seconds
    var parts = ["\(progress.frames.counted("frame")) in \(seconds.formatted(1)) s"]
    if seconds > 0 { parts.append("\(progress.framesPerSecond.formatted(2)) fps") }
    if progress.storedFrames > 0 {
      parts.append("\(progress.storedFrames) of them from an earlier run")
    }
    if repeatedCount > 0 { parts.append("\(repeatedCount) of them repeated") }
    let percent = Int((areaReused * 100).rounded())
    if percent > 0 { parts.append("\(percent)% of the area of the rest unchanged") }
    if damagedPictures > 0 { parts.append("\(damagedPictures.counted("frame")) damaged") }
    if damagedPackets > 0 { parts.append("\(damagedPackets.counted("other damage")) in the input") }
    if droppedPackets > 0 {
      parts.append("\(droppedPackets.counted("packet")) of other streams lost")
    }
    if repairedTimes > 0 { parts.append("\(repairedTimes.counted("time stamp")) repaired") }
    return ([parts.joined(separator: ", ")] + (progress.live.map { [$0.summary(rungNames)] } ?? []))
      .joined(separator: "; ")
  }
}

extension LiveReport {
  /// What was done to how many frames, and their delays, in one line.
  fileprivate func summary(_ rungNames: [String]) -> String {
    var parts = ["\(upscaled) upscaled" + (rungNames.count > 1 ? byRung(rungNames) : "")]
    if resized > 0 { parts.append("\(resized) resized only") }
    if dropped > 0 { parts.append("\(dropped) dropped") }
    if late > 0 { parts.append("\(late) late") }
    let delays = [("half", medianDelay), ("99%", longDelay), ("all", longestDelay)]
    let list = delays.map { "\($0.0) within \(Int(($0.1.seconds * 1000).rounded(.up))) ms" }
    return parts.joined(separator: ", ") + "; delay of " + list.joined(separator: ", ")
  }
}

extension LiveReport {
  /// How many frames were enlarged in which way, in parentheses.
  private func byRung(_ names: [String]) -> String {
    let counts = names.enumerated().map { "\(frames(onRung: $0.offset)) with \($0.element)" }
    return " (\(counts.joined(separator: ", ")); changed \(switches)x)"
  }
}

extension WorkPlan {
  /// How pictures are cut and what that takes, for a person.
  fileprivate func lines(threads: Int) -> [String] {
    let line =
      "\(cuts), \(framesInFlight.counted("frame")) at a time, about \(byteCount.mebibytes) of memory"
    guard workers < threads else { return [line] }
    return [line, "\(workers) of \(threads) workers, to save memory"]
  }

  /// How pictures are cut, for a person.
  var cuts: String {
    let tile = "\(tiles.windowWidth)x\(tiles.windowHeight)"
    return switch surroundings {
    case nil: "whole pictures of \(tile)"
    case .halo(let halo)?: "\(tiles.tiles.count) tiles of \(tile) with a halo of \(halo)"
    case .overlap(let overlap)?:
      "\(tiles.tiles.count) tiles of \(tile) that overlap by \(overlap) or more"
    }
  }
}

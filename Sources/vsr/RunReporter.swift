internal import Engine
internal import Pipeline

/// What a run of `upscale` tells: notices and the plan before, progress while, a summary after.
final class RunReporter: Sendable {
  private let options: ReportOptions.Choice
  private let transcode: Transcode
  private let upscaler: Upscaler
  private let outputName: String
  private let isOver = Monitor(false)
  private let progressThread = Monitor<WorkerThread?>(nil)

  init(
    _ options: ReportOptions,
    _ transcode: Transcode,
    _ upscaler: Upscaler,
    outputName: String,
  ) {
    self.options = options.choice
    self.transcode = transcode
    self.upscaler = upscaler
    self.outputName = outputName
  }

  /// Tells what will be done and begins to show progress; `threads` are the workers that might have been.
  func begin(_ work: WorkPlan, threads: Int) {
    let plan = transcode.plan
    tell(plan.notices)
    if options.isVerbose {
      Console.say(
        "vsr: \(plan.sourceWidth)x\(plan.sourceHeight) to \(plan.width)x\(plan.height), "
          + "model \(upscaler.model.name), \(plan.codec) \(plan.pixelFormat) in \(plan.format)"
      )
      for line in work.lines(threads: threads) { Console.say("vsr: \(line)") }
    }
    guard let line = ProgressLine(options.style) else { return }
    let thread = WorkerThread { [self] in show(line) }
    progressThread.withLock { $0 = thread }
  }

  /// Ends the progress and tells how it went; errors are told by who catches them.
  func end(_ result: Result<TranscodeReport, MediaError>) {
    isOver.withLock { $0 = true }
    isOver.wakeAll()
    progressThread.withLock { $0 }?.join()
    guard case .success(let report) = result else { return }
    if !options.isQuiet {
      let summary = report.summary(areaReused: upscaler.reusedShare)
      Console.say("vsr: wrote \(outputName): \(summary)")
    }
    if options.isVerbose { tellStages(report) }
  }

  private func show(_ line: ProgressLine) {
    var line = line
    while isOver.wait(seconds: line.interval, until: { $0 ? true : nil }) == nil {
      line.show(transcode.progress)
    }
    line.finish(transcode.progress)
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
    for stage in StageShares(report.progress, upscaler).shares {
      let percent = Int((stage.share * 100).rounded())
      Console.say("vsr: stage \(stage.name): busy \(percent)% of the time")
    }
  }
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
  fileprivate func summary(areaReused: Double) -> String {
    let seconds = progress.elapsed.seconds
    var parts = ["\(progress.frames) frames in \(seconds.formatted(1)) s"]
    if seconds > 0 { parts.append("\((Double(progress.frames) / seconds).formatted(2)) fps") }
    if repeatedCount > 0 { parts.append("\(repeatedCount) of them repeated") }
    let percent = Int((areaReused * 100).rounded())
    if percent > 0 { parts.append("\(percent)% of the area of the rest unchanged") }
    if damagedPictures > 0 { parts.append("\(damagedPictures) frames damaged") }
    if damagedPackets > 0 { parts.append("\(damagedPackets) other damages in the input") }
    if droppedPackets > 0 { parts.append("\(droppedPackets) packets of other streams lost") }
    if repairedTimes > 0 { parts.append("\(repairedTimes) times repaired") }
    return parts.joined(separator: ", ")
  }
}

extension WorkPlan {
  /// How pictures are cut and what that takes, for a person.
  fileprivate func lines(threads: Int) -> [String] {
    let tile = "\(tiles.windowWidth)x\(tiles.windowHeight)"
    let cuts =
      switch surroundings {
      case nil: "whole pictures of \(tile)"
      case .halo(let halo)?: "\(tiles.tiles.count) tiles of \(tile) with a halo of \(halo)"
      case .overlap(let overlap)?:
        "\(tiles.tiles.count) tiles of \(tile) that overlap by \(overlap) or more"
      }
    let line =
      "\(cuts), \(framesInFlight) frames at a time, about \(byteCount.mebibytes) of memory"
    guard workers < threads else { return [line] }
    return [line, "\(workers) of \(threads) workers, to save memory"]
  }
}

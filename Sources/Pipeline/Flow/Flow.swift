internal import Dispatch
internal import Engine
internal import Synchronization

/// The queues, stages and counters of one run.
final class Flow: Sendable {
  let packets: BoundedQueue<Packet>
  let frames: BoundedQueue<FrameInFlight>
  let output: BoundedQueue<Packet>
  let group: StageGroup
  let counters = RunCounters()
  let window: PartWindow
  let readMeter = StageMeter("read")
  let decodeMeter = StageMeter("decode")
  let encodeMeter = StageMeter("encode")
  let writeMeter = StageMeter("write")

  /// Measures the delay of every frame.
  let delays: DelayMeter
  private let totalFrames: Int?
  private let storedFrames: Int
  private let started = Atomic<UInt64>(0)

  /// The flow of `part` of a stream whose first time stamp is `origin`; an earlier run has encoded some of
  /// its frames.
  ///
  /// When it fails, `cancellation` ends the waiting for input and output.
  init(
    _ part: Part,
    origin: Duration,
    totalFrames: Int?,
    storedFrames: Int,
    live: LiveOptions?,
    cancellation: Cancellation,
  ) {
    // A few packets smooth the demuxer's reading; more would only cost memory with raw video, or time.
    let packets = BoundedQueue<Packet>(capacity: live == nil ? 8 : 2)
    let frames = BoundedQueue<FrameInFlight>(
      capacity: Flow.largestCapacity,
      spare: live == nil ? Flow.repeatsAhead : 0,
    )
    let output = BoundedQueue<Packet>(capacity: 16, producers: 2)
    group = StageGroup {
      packets.cancel()
      frames.cancel()
      output.cancel()
      cancellation.abandon()
    }
    self.packets = packets
    self.frames = frames
    self.output = output
    self.totalFrames = totalFrames
    self.storedFrames = storedFrames
    delays = DelayMeter(limit: live?.maximumDelay)
    window = PartWindow(part, origin: origin)
  }

  // More frames than any machine has processors.
  private static let largestCapacity = 4096

  // Repeated frames wait without a picture of their own, so that the engine works on what comes after them; live
  // they would only be late.
  private static let repeatsAhead = 64

  /// Bounds the frames that the engine works on or has finished; called before the stages start.
  func limit(framesInFlight: Int) {
    // Two more are in flight: one on its way into the queue, and one that the encoder waits for.
    frames.limit(to: min(max(framesInFlight - 2, 1), Flow.largestCapacity))
  }

  /// Ends the input where the engine is: pictures on their way to it are left out, what it has made is written.
  func leaveOutTheRest() {
    packets.cancel()
    frames.cancel()
  }

  func markStart() {
    started.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
  }

  var progress: TranscodeProgress {
    let values = counters.values
    let start = started.load(ordering: .relaxed)
    let elapsed = start == 0 ? 0 : DispatchTime.now().uptimeNanoseconds - start
    return TranscodeProgress(
      frames: values.written,
      storedFrames: min(storedFrames, values.written),
      totalFrames: totalFrames,
      position: values.position,
      byteCount: values.byteCount,
      elapsed: .nanoseconds(Int64(clamping: elapsed)),
      stages: [readMeter.time, decodeMeter.time, encodeMeter.time, writeMeter.time],
      live: delays.report,
    )
  }

  /// The report when an earlier run has written all frames.
  var reportOfStored: TranscodeReport {
    for _ in 0..<storedFrames { counters.countWritten(at: nil) }
    return report
  }

  var report: TranscodeReport {
    let values = counters.values
    return TranscodeReport(
      progress: progress,
      framesDecoded: values.decoded,
      damagedPictures: values.damagedPictures,
      damagedPackets: values.damagedPackets,
      deinterlacedCount: values.deinterlaced,
      repeatedCount: values.repeated,
      droppedPackets: values.droppedPackets,
      repairedTimes: values.repairs + values.repairedTimes,
      lostTags: values.lostTags,
      lateStreams: values.lateStreams.count,
      changes: values.changes,
    )
  }
}

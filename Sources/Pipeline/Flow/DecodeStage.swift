internal import Engine

/// A frame on its way through the engine: when it is shown, and the picture that will be ready.
struct FrameInFlight: Sendable {
  /// What is shown.
  enum Content {
    /// What an earlier run has encoded.
    case stored

    /// The picture before once more.
    case repeated
    case picture(AwaitedPicture)
  }

  let time: FrameTime
  let content: Content

  /// What the source says about this picture alone.
  var light: DynamicLight?

  /// What else it carries that the output can.
  var data: [FrameData] = []

  /// Its transparency, as small as the source's picture.
  var alpha: Image?
}

/// Decodes the pictures, turns them into RGB and hands them to the engine.
final class DecodeStage: Stage, @unchecked Sendable {
  // Safe to send: after the start only the stage's own thread uses this state.
  private var source: PictureSource
  private var toImage: ToImage
  private var toAlpha: ToAlpha?
  private var changes: PictureChanges
  private var number = 0
  private var keptCount = 0
  private var last: Frame?
  private var lastTicks: Int64?
  private let timeBase: Rational
  private let fillsPauses: Bool
  private let takesDynamicLight: Bool
  private let carried: Set<FrameData.Kind>
  private let orientation: Orientation
  private let target: PictureTarget
  private let input: MediaPath
  private let damage: DamagePolicy
  private let window: PartWindow
  private let work: WorkFolder?
  private let admission: Admission
  private let packets: BoundedQueue<Packet>
  private let frames: BoundedQueue<FrameInFlight>
  private let counters: RunCounters

  // What was read to find out the format counts from here.
  private let start = Instant.now

  // `timeBase` is the time base in which the encoder counts, all ticks of it if it `fillsPauses`, `target` what
  // it takes; `takesDynamicLight` says whether HDR10+ data can be put into what it makes, `carried` what it writes of other data.
  init(
    _ source: consuming PictureSource,
    changes: consuming PictureChanges,
    timeBase: Rational,
    fillsPauses: Bool,
    target: PictureTarget,
    takesDynamicLight: Bool,
    carried: Set<FrameData.Kind>,
    options: TranscodeOptions,
    window: PartWindow,
    work: WorkFolder?,
    admission: Admission,
    packets: BoundedQueue<Packet>,
    frames: BoundedQueue<FrameInFlight>,
    counters: RunCounters,
  ) {
    toImage = ToImage(orientation: source.orientation)
    toAlpha = target.layout.hasAlpha ? ToAlpha(orientation: source.orientation) : nil
    orientation = source.orientation
    self.source = source
    self.changes = changes
    self.target = target
    self.timeBase = timeBase
    self.fillsPauses = fillsPauses
    self.takesDynamicLight = takesDynamicLight
    self.carried = carried
    input = options.input.path
    damage = options.damage
    self.window = window
    self.work = work
    self.admission = admission
    self.packets = packets
    self.frames = frames
    self.counters = counters
  }

  func run(_ meter: StageMeter) throws(MediaError) {
    defer {
      counters.countRepairs(source.repairs)
      counters.countDeinterlaced(source.deinterlacedCount)
      counters.countRepeated(admission.repeatedCount)
      counters.note(changes.found)
    }
    var wantsMore = try handlePictures(meter)
    while wantsMore, let packet = packets.pop(meter) {
      try source.send(packet)
      wantsMore = try handlePictures(meter)
    }
    guard wantsMore else { return packets.cancel() }
    source.finish()
    _ = try handlePictures(meter)
    counters.notePictureErrors(source.errorCount)
  }

  func close() {
    window.close()
    frames.close()
  }

  // Handles every picture that is ready; false when no more are wanted.
  private func handlePictures(_ meter: StageMeter) throws(MediaError) -> Bool {
    while let frame = try source.next() {
      let time = source.time(of: frame)
      let shown = Timestamp(ticks: time.pts, timeBase: source.timeBase).duration
      defer { number += 1 }
      counters.countDecoded(errors: source.errorCount)
      if damage.isStrict { try damage.check(counters.values, input) }
      let isWanted = window.contains(frame: number, at: shown)
      // The output was planned after the first one, wanted or not.
      if isWanted || number == 0 { try changes.look(at: frame) }
      if isWanted {
        let time = encoderTime(time)
        guard try fillPause(until: time.pts, meter), try submit(frame, time, meter) else {
          return false
        }
        if fillsPauses { last = try frame.shared() }
      } else if window.isOver(after: number, at: shown) {
        return false
      }
    }
    return true
  }

  // Shows the last picture again at every tick before this one.
  private func fillPause(until ticks: Int64, _ meter: StageMeter) throws(MediaError) -> Bool {
    guard fillsPauses else { return true }
    let next = lastTicks.map { $0 &+ 1 } ?? ticks
    lastTicks = max(next, ticks)
    // Longer ones are faults of the clock, whose times may be any.
    let (pause, isTooLong) = ticks.subtractingReportingOverflow(next)
    guard pause > 0, !isTooLong, Double(pause) * timeBase.value <= Self.longestPause,
      let last = try last?.shared()
    else { return true }
    for tick in next..<ticks {
      guard try showAgain(last, FrameTime(pts: tick, duration: 1), meter) else { return false }
    }
    return true
  }

  // The encoder has the picture before, but not where a segment begins.
  private func showAgain(
    _ frame: borrowing Frame,
    _ time: FrameTime,
    _ meter: StageMeter,
  ) throws(MediaError) -> Bool {
    if let work, keptCount < work.storedFrames || keptCount % work.segmentLength == 0 {
      return try submit(frame, time, meter)
    }
    keptCount += 1
    return frames.push(FrameInFlight(time: time, content: .repeated), isLight: true, meter)
  }

  private static let longestPause = 3600.0

  private func submit(
    _ frame: borrowing Frame,
    _ time: FrameTime,
    _ meter: StageMeter,
  ) throws(MediaError) -> Bool {
    defer { keptCount += 1 }
    if let work, keptCount < work.storedFrames {
      return frames.push(
        FrameInFlight(time: time, content: .stored),
        isLight: true,
        meter
      )
    }
    // A segment begins as it would after a crash before it.
    if let work, keptCount % work.segmentLength == 0 { admission.forgetRepeats() }
    let image = try toImage.image(of: frame)
    let alpha = try toAlpha?.image(of: frame)
    if let alpha { TransparentFill.fill(image, where: alpha) }
    let (picture, isRepeated) = admission.submit(image, arrival: arrival(of: frame))
    let light = takesDynamicLight ? DynamicLight(frame, map(of: frame)) : nil
    let data = FrameData.all(of: frame).filter {
      carried.contains($0.kind) && $0.fits(target.layout)
    }
    return frames.push(
      FrameInFlight(
        time: time,
        content: .picture(picture),
        light: light,
        data: data,
        alpha: alpha
      ),
      isLight: isRepeated && alpha == nil,
      meter
    )
  }

  private func arrival(of frame: borrowing Frame) -> Instant {
    max(frame.arrival ?? .now, start)
  }

  // Where places of the picture lie in the output's.
  private func map(of frame: borrowing Frame) -> PictureMap {
    PictureMap(
      orientation: orientation,
      source: (frame.width, frame.height),
      target: (target.width, target.height)
    )
  }

  private func encoderTime(_ time: FrameTime) -> FrameTime {
    let offset = window.frameOffset.ticks(of: timeBase)
    func rescaled(_ ticks: Int64) -> Int64 {
      Timestamp(ticks: ticks, timeBase: source.timeBase).rescaled(to: timeBase).ticks
    }
    return FrameTime(
      pts: rescaled(time.pts) &+ offset,
      duration: max(rescaled(time.duration), 1),
    )
  }
}

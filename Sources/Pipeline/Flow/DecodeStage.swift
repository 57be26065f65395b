internal import Engine

/// A frame on its way through the engine: when it is shown, and the picture that will be ready.
struct FrameInFlight: Sendable {
  let time: FrameTime
  let picture: PendingImage
}

/// Decodes the pictures, turns them into RGB and hands them to the engine.
final class DecodeStage: Stage, @unchecked Sendable {
  // Safe to send: after the start only the stage's own thread uses this state.
  private var source: PictureSource
  private var toImage: ToImage
  private var repeats: RepeatedPictures
  private var number = 0
  private let timeBase: Rational
  private let input: MediaPath
  private let damage: DamagePolicy
  private let window: PartWindow
  private let upscale: Transcode.Upscale
  private let packets: BoundedQueue<Packet>
  private let frames: BoundedQueue<FrameInFlight>
  private let counters: RunCounters

  // `timeBase` is the time base in which the encoder counts.
  init(
    _ source: consuming PictureSource,
    timeBase: Rational,
    options: TranscodeOptions,
    window: PartWindow,
    upscale: @escaping Transcode.Upscale,
    packets: BoundedQueue<Packet>,
    frames: BoundedQueue<FrameInFlight>,
    counters: RunCounters,
  ) {
    toImage = ToImage(orientation: source.orientation)
    self.source = source
    self.timeBase = timeBase
    input = options.input.path
    damage = options.damage
    repeats = RepeatedPictures(tolerance: options.repeatTolerance)
    self.window = window
    self.upscale = upscale
    self.packets = packets
    self.frames = frames
    self.counters = counters
  }

  func run(_ meter: StageMeter) throws(MediaError) {
    defer {
      counters.countRepairs(source.repairs)
      counters.countDeinterlaced(source.deinterlacedCount)
      counters.countRepeated(repeats.count)
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
      if window.contains(frame: number, at: shown) {
        guard try submit(frame, time, meter) else { return false }
      } else if window.isOver(after: number, at: shown) {
        return false
      }
    }
    return true
  }

  private func submit(
    _ frame: borrowing Frame,
    _ time: FrameTime,
    _ meter: StageMeter,
  ) throws(MediaError) -> Bool {
    let image = try toImage.image(of: frame)
    do throws(EngineError) {
      let picture = try repeats.picture(for: image, upscale: upscale)
      let inFlight = FrameInFlight(time: encoderTime(time), picture: picture)
      return frames.push(inFlight, meter)
    } catch {
      throw MediaError(.engine(error), .upscale, "picture", "\(error)")
    }
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

internal import Engine

/// Waits for upscaled pictures in their order and encodes them.
final class EncodeStage: Stage, @unchecked Sendable {
  // Safe to send: after the start only the stage's own thread uses this state.
  private var encoder: SegmentedEncoder
  private var fromImage: FromImage
  private let stream: Int
  private let leastDistance: Int64
  private let countsPictures: Bool
  private let window: PartWindow
  private let frames: BoundedQueue<FrameInFlight>
  private let output: BoundedQueue<Packet>
  private let group: StageGroup
  private let counters: RunCounters
  private var lastTime: Int64?

  // What is shown again where the output `countsPictures`.
  private var last: Frame?
  private var lastLight: DynamicLight?

  // `stream` is the number of the upscaled stream in the output, `leastDistance` that of two pictures' times; an
  // output that `countsPictures` knows no pauses.
  init(
    _ encoder: consuming SegmentedEncoder,
    _ fromImage: consuming FromImage,
    stream: Int,
    leastDistance: Int64,
    countsPictures: Bool,
    window: PartWindow,
    frames: BoundedQueue<FrameInFlight>,
    output: BoundedQueue<Packet>,
    group: StageGroup,
    counters: RunCounters,
  ) {
    self.encoder = encoder
    self.fromImage = fromImage
    self.stream = stream
    self.leastDistance = leastDistance
    self.countsPictures = countsPictures
    self.window = window
    self.frames = frames
    self.output = output
    self.group = group
    self.counters = counters
  }

  func run(_ meter: StageMeter) throws(MediaError) {
    while let frame = frames.pop(meter) {
      switch frame.content {
      case .stored: try encoder.skip(growing(frame.time))
      case .repeated: try repeatLast(at: frame.time)
      case .picture(let picture): try encode(picture, frame, meter)
      }
      guard try passOn(meter) else { return }
    }
    // The queue ends early when another stage has failed: these are not all frames.
    guard !group.hasFailed else { return }
    guard lastTime != nil else {
      throw MediaError(.usage, .encode, "the output", window.emptiness)
    }
    try encoder.finish()
    _ = try passOn(meter)
  }

  func close() {
    output.close()
  }

  private func encode(
    _ picture: AwaitedPicture,
    _ frame: FrameInFlight,
    _ meter: StageMeter,
  ) throws(MediaError) {
    guard let result = try wait(for: picture, meter) else {
      return try repeatLast(at: frame.time)
    }
    let made = try fromImage.frame(
      of: result.image,
      alpha: frame.alpha,
      replacesEngine: !result.isEnlarged
    )
    if countsPictures {
      last = try made.shared()
      lastLight = frame.light
    }
    for data in frame.data { try data.add(to: made) }
    try encoder.send(made, growing(frame.time), result.passage, frame.light)
  }

  // Times that nothing is written for would be lost where pictures are counted.
  private func repeatLast(at time: FrameTime) throws(MediaError) {
    guard countsPictures, let frame = try last?.shared() else { return }
    try encoder.send(frame, growing(time), nil, lastLight)
  }

  // No picture: it is dropped, because it would have been late.
  private func wait(
    for picture: AwaitedPicture,
    _ meter: StageMeter,
  ) throws(MediaError) -> AwaitedPicture.Result? {
    do throws(EngineError) {
      return try meter.waiting { () throws(EngineError) in try picture.wait() }
    } catch {
      throw MediaError(.engine(error), .upscale, "picture", "\(error)")
    }
  }

  // A coarser time base may give two pictures one time; encoders refuse that. GIF shows none for less than a
  // fiftieth of a second.
  private func growing(_ time: FrameTime) -> FrameTime {
    let pts = lastTime.map { max(time.pts, $0 &+ leastDistance) } ?? time.pts
    if pts != time.pts { counters.countRepairs(1) }
    lastTime = pts
    return FrameTime(pts: pts, duration: time.duration)
  }

  private func passOn(_ meter: StageMeter) throws(MediaError) -> Bool {
    while let packet = try encoder.receive() {
      packet.streamIndex = stream
      guard output.push(packet, meter) else { return false }
    }
    return true
  }
}

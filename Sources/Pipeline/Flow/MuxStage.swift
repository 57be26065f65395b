/// Writes encoded and copied packets in the order in which they come.
///
/// Never waits for a particular stream, so that no stage can wait for another in a circle.
final class MuxStage<Sink: PacketSink & ~Copyable>: Stage, @unchecked Sendable {
  // Safe to send: after the start only the stage's own thread uses this state.
  private var sink: Sink?
  private var undecided: [HeldPacket] = []
  private let picture: Int
  private let subtitles: Set<Int>

  // Copied pictures of a part: nothing can be seen of them before a key frame.
  private var beforeKeyFrame: Set<Int>
  private let input: MediaPath
  private let damage: DamagePolicy
  private let window: PartWindow
  private let packets: BoundedQueue<Packet>
  private let group: StageGroup
  private let counters: RunCounters
  private let delays: DelayMeter

  // `picture` is the number of the upscaled stream in the output, `subtitles` are those of lines that are
  // shown for a while, `films` those of copied pictures that may begin inside.
  init(
    _ sink: consuming Sink,
    picture: Int,
    subtitles: Set<Int>,
    films: Set<Int>,
    options: TranscodeOptions,
    window: PartWindow,
    packets: BoundedQueue<Packet>,
    group: StageGroup,
    counters: RunCounters,
    delays: DelayMeter,
  ) {
    self.sink = consume sink
    self.picture = picture
    self.subtitles = subtitles
    beforeKeyFrame = films
    input = options.input.path
    damage = options.damage
    self.window = window
    self.packets = packets
    self.group = group
    self.counters = counters
    self.delays = delays
  }

  func run(_ meter: StageMeter) throws(MediaError) {
    // Dropped before the run ends: an unfinished file vanishes with it.
    defer { sink = nil }
    while let packet = packets.pop(meter) {
      if packet.streamIndex == picture {
        try writePicture(packet)
      } else {
        undecided.append(HeldPacket(packet))
      }
      try writeDecided()
    }
    // The queue ends early when another stage has failed.
    guard !group.hasFailed else { return }
    window.close()
    try writeDecided()
    try damage.check(counters.values, input)
    try sink?.finish()
    group.complete()
    report()
  }

  func close() {}

  private func writePicture(_ packet: consuming Packet) throws(MediaError) {
    let (time, passage) = (packet.time, packet.passage)
    try sink?.write(packet)
    if let passage { delays.add(passage) }
    counters.countWritten(at: time?.duration)
    report()
  }

  // A packet waits until it is decided, and with it all later ones of its stream.
  private func writeDecided() throws(MediaError) {
    var rest: [HeldPacket] = []
    var waiting: Set<Int> = []
    for box in undecided {
      switch answer(box) {
      case _ where waiting.contains(box.stream), .undecided:
        waiting.insert(box.stream)
        rest.append(box)
      case .drop: break
      case .keep(let offset): try writeCopied(box, offset)
      }
    }
    undecided = rest
  }

  private func answer(_ box: HeldPacket) -> PartWindow.Answer {
    guard let time = box.time?.duration else { return .keep(offset: .zero) }
    let isShown = subtitles.contains(box.stream)
    return window.answer(at: time, lasting: isShown ? box.duration : .zero)
  }

  private func writeCopied(_ box: HeldPacket, _ offset: Duration) throws(MediaError) {
    guard let packet = box.take() else { return }
    if packet.isKeyFrame { beforeKeyFrame.remove(box.stream) }
    guard !beforeKeyFrame.contains(box.stream) else { return }
    if subtitles.contains(box.stream) { clip(packet) }
    if offset != .zero { packet.shift(by: offset) }
    try sink?.write(packet)
  }

  // A line that is shown across a cut begins or ends there.
  private func clip(_ packet: borrowing Packet) {
    guard let time = packet.time?.duration, packet.duration > .zero else { return }
    let (start, end) = window.clipped(time, lasting: packet.duration)
    guard start > time || end < time + packet.duration else { return }
    packet.cut(by: start - time, lasting: end - start)
  }

  private func report() {
    guard sink != nil else { return }
    counters.note(
      bytes: sink?.byteCount ?? 0,
      dropped: sink?.droppedPackets ?? 0,
      repaired: sink?.repairedTimes ?? 0,
      lostTags: sink?.lostTags ?? []
    )
  }
}

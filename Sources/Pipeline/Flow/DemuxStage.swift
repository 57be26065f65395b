internal import FFmpegC

/// Reads the input: packets of the upscaled stream go to the decoder, others to the output.
final class DemuxStage: Stage, @unchecked Sendable {
  // Safe to send: after the start only the stage's own thread uses the demuxer.
  private var demuxer: Demuxer
  private var held: [HeldPacket]
  private var clock: ClockJoin?
  private let isLive: Bool

  // Streams that tell the time: texts and other data may come at any.
  private let clocks: Set<Int>

  // They have no time, but libav gives them one after a seek.
  private let covers: Set<Int>
  private let sounds: [Int: SoundCheck]
  private let streams: StreamMap
  private let window: PartWindow
  private let pictures: BoundedQueue<Packet>
  private let output: BoundedQueue<Packet>
  private let counters: RunCounters

  /// Reads from `demuxer` after passing on what was `held` while the first picture was looked for.
  init(
    _ demuxer: consuming Demuxer,
    held: [HeldPacket],
    input: InputOptions,
    streams: StreamMap,
    window: PartWindow,
    pictures: BoundedQueue<Packet>,
    output: BoundedQueue<Packet>,
    counters: RunCounters,
  ) {
    var sounds: [Int: SoundCheck] = [:]
    for index in 0..<demuxer.streamCount where streams.outputs[index] != nil {
      sounds[index] = unsafe SoundCheck(demuxer.stream(index), input)
    }
    self.sounds = sounds
    isLive = input.isLive
    clocks = Set(
      (0..<demuxer.streamCount).filter { index in
        let type = unsafe demuxer.stream(index).pointee.codecpar.pointee.codec_type
        return type == AVMEDIA_TYPE_VIDEO || type == AVMEDIA_TYPE_AUDIO
      }
    )
    covers = Set((0..<demuxer.streamCount).filter { unsafe demuxer.stream($0).isCover })
    clock = input.isLive || demuxer.mayRestartClock ? ClockJoin() : nil
    self.demuxer = demuxer
    self.held = held
    self.streams = streams
    self.window = window
    self.pictures = pictures
    self.output = output
    self.counters = counters
  }

  func run(_ meter: StageMeter) throws(MediaError) {
    defer { countDamage() }
    for box in held {
      guard let packet = box.take() else { continue }
      joinClock(packet)
      if try !passOn(packet, meter) { return }
    }
    held = []
    var wantsPictures = true
    while let packet = try demuxer.read() {
      joinClock(packet)
      if let time = packet.time { lastTime = max(lastTime, time.duration) }
      if packet.streamIndex != streams.picture {
        guard try passOn(packet, meter) else { return }
      } else if wantsPictures {
        wantsPictures = pictures.push(packet, meter)
      }
      // The part ends: its pictures are complete, other streams follow a little later.
      if !wantsPictures && isOver { return }
    }
  }

  func close() {
    pictures.close()
    output.close()
  }

  // Other streams may lie this far behind the pictures in the file.
  private static let interleaving = Duration.seconds(2)
  private var lastTime = Duration.zero

  private var isOver: Bool {
    // Pictures are refused without a known end when another stage has failed.
    guard let end = window.end else { return true }
    return lastTime > end + DemuxStage.interleaving
  }

  private func joinClock(_ packet: borrowing Packet) {
    let offset = clock?.offset(
      packet.streamIndex,
      at: clocks.contains(packet.streamIndex) ? packet.decodingTime?.duration : nil,
      lasting: packet.duration,
      // A file's packets come when they are asked for.
      arrival: isLive ? packet.passage?.arrival ?? .now : Instant(nanoseconds: 0),
    )
    if let offset, offset != .zero { packet.shift(by: offset) }
  }

  private func countDamage() {
    counters.countRepairs(clock?.jumpCount ?? 0)
    let inSound = sounds.values.reduce(0) { $0 + $1.errorCount }
    counters.notePacketErrors(demuxer.damageCount + inSound)
  }

  private func passOn(
    _ packet: consuming Packet,
    _ meter: StageMeter,
  ) throws(MediaError) -> Bool {
    guard streams.outputs.indices.contains(packet.streamIndex) else {
      // Some demuxers find streams while they read.
      counters.noteLateStream(packet.streamIndex)
      return true
    }
    guard let number = streams.outputs[packet.streamIndex] else { return true }
    try sounds[packet.streamIndex]?.check(packet)
    if covers.contains(packet.streamIndex) { packet.forgetTimes() }
    packet.streamIndex = number
    return output.push(packet, meter)
  }
}

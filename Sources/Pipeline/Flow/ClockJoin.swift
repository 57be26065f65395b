/// Joins the times of a live stream where its clock jumps, the same for all of its streams.
///
/// A source that restarts, a splice or a second wrap of MPEG-TS's 33 bits lets times jump. What follows
/// then continues where the streams had come to, so pictures and sound stay together. A gap that took as
/// long as it says is no jump: the source had paused.
struct ClockJoin {
  /// How often the clock has jumped.
  private(set) var jumpCount = 0

  // In the clock of the output.
  private var latest: Duration?
  private var ends: [Int: Duration] = [:]
  private var lastArrival: Instant?

  private var offset = Duration.zero

  // Packets from before a jump may come a little after it.
  private var former: (offset: Duration, until: Duration)?

  // As the ffmpeg program's: larger steps are no pause.
  private static let longestStep = Duration.seconds(10)
  private static let longestStepBack = Duration.milliseconds(500)
  private static let interleaving = Duration.seconds(2)

  /// How much later a packet is shown than it says.
  ///
  /// - Parameters:
  ///   - stream: The number of its stream.
  ///   - time: When it is decoded by its own clock; `nil` if it does not say.
  ///   - duration: How long it lasts; zero when unknown.
  ///   - arrival: When it was read.
  /// - Returns: What is added to the times of the packet.
  mutating func offset(
    _ stream: Int,
    at time: Duration?,
    lasting duration: Duration,
    arrival: Instant,
  ) -> Duration {
    guard let time else { return offset }
    let chosen = choice(stream, time, arrival) ?? jump(to: time)
    let end = time + chosen + duration
    ends[stream] = end
    latest = max(latest ?? end, end)
    lastArrival = arrival
    return chosen
  }

  private mutating func jump(to time: Duration) -> Duration {
    let latest = latest ?? time
    former = (offset, latest + Self.interleaving)
    offset = latest - time
    jumpCount += 1
    return offset
  }

  // The offset with which the packet follows best on its stream; none when it follows with neither. How far
  // the others have come says nothing about a stream that has begun: its next packet may come late.
  private func choice(_ stream: Int, _ time: Duration, _ arrival: Instant) -> Duration? {
    guard let latest else { return offset }
    var offsets = [offset]
    if let former, latest < former.until { offsets.append(former.offset) }
    let expected = ends[stream] ?? latest
    let pause = lastArrival.map { arrival.since($0) } ?? .zero
    return offsets.filter { offset in
      let shown = time + offset
      return shown >= (ends[stream] ?? latest - Self.longestStep) - Self.longestStepBack
        && shown <= max(latest, expected) + Self.longestStep + pause
    }
    .min { distance(time + $0, expected) < distance(time + $1, expected) }
  }

  private func distance(_ one: Duration, _ other: Duration) -> Duration {
    max(one - other, other - one)
  }
}

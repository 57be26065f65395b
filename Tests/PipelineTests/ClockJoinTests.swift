import Testing

@testable import Pipeline

/// Two streams, pictures (0) and sound (1), with packets of 40 ms that come in real time.
@Suite struct ClockJoinTests {
  private struct Source {
    var clock = ClockJoin()
    var now = Instant(nanoseconds: 0)
    var shown: [[Double]] = [[], []]

    mutating func send(_ stream: Int, at seconds: Double) {
      let time = Duration.seconds(seconds)
      let offset = clock.offset(stream, at: time, lasting: .milliseconds(40), arrival: now)
      shown[stream].append(((time + offset) / .milliseconds(1)).rounded() / 1000)
    }

    /// Both streams for a second from `start` on.
    mutating func second(from start: Double, soundLate: Double = 0) {
      for step in 0..<25 {
        now = now + .milliseconds(40)
        send(0, at: start + Double(step) * 0.04)
        send(1, at: start + Double(step) * 0.04 - soundLate)
      }
    }
  }

  @Test func leavesAStreamAlone() {
    var source = Source()
    for start in 0..<5 { source.second(from: Double(start)) }
    #expect(source.clock.jumpCount == 0)
    #expect(source.shown[0].last == 4.96)
  }

  @Test(arguments: [-1000.0, -5, -0.9, 15, 95_443.7])
  func joinsBothStreamsAlike(jump: Double) {
    var source = Source()
    for start in 10..<15 { source.second(from: Double(start)) }
    for start in 15..<20 { source.second(from: Double(start) + jump) }
    #expect(source.clock.jumpCount == 1)
    for times in source.shown {
      #expect(zip(times, times.dropFirst()).allSatisfy { abs($1 - $0 - 0.04) < 0.002 })
    }
  }

  @Test func packetsFromBeforeTheJumpStayWhereTheyWere() {
    var source = Source()
    for start in 10..<12 { source.second(from: Double(start), soundLate: 0.2) }
    for step in 0..<5 { source.send(0, at: 500 + Double(step) * 0.04) }
    for step in 0..<5 { source.send(1, at: 11.8 + Double(step) * 0.04) }
    source.send(0, at: 500.2)
    source.send(1, at: 500)
    #expect(source.clock.jumpCount == 1)
    #expect(source.shown[1].suffix(2) == [11.96, 12])
    #expect(source.shown[0].suffix(6) == [12, 12.04, 12.08, 12.12, 12.16, 12.2])
  }

  // Demuxers of MPEG-TS hand out a stream's last packet at the end of the file.
  @Test func aLastPacketThatComesLateStaysWhereItBelongs() {
    var source = Source()
    source.second(from: 0)
    for step in 25..<500 { source.send(1, at: Double(step) * 0.04) }
    source.send(0, at: 1)
    #expect(source.clock.jumpCount == 0)
    #expect(source.shown[0].last == 1 && source.shown[1].last == 19.96)
  }

  @Test func aPauseThatTookItsTimeIsNoJump() {
    var source = Source()
    source.second(from: 0)
    source.now = source.now + .seconds(60)
    source.second(from: 61)
    #expect(source.clock.jumpCount == 0)
    #expect(source.shown[0].last == 61.96)
  }
}

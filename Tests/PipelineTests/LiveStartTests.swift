import Testing

@testable import Pipeline

@Suite struct LiveStartTests {
  private func isOver(after packets: [(stream: Int, time: Duration?)], of count: Int) -> Bool {
    var start = LiveStart(isOver: false)
    for packet in packets { start.add(packet.stream, of: count, at: packet.time) }
    return start.isOver
  }

  @Test func endsWhenEachStreamHasBegun() {
    #expect(!isOver(after: [(1, .milliseconds(1400)), (1, nil)], of: 2))
    #expect(isOver(after: [(1, .milliseconds(1400)), (0, .milliseconds(1380))], of: 2))
    #expect(isOver(after: [(0, nil)], of: 1))
  }

  @Test func doesNotWaitForASilentStreamForEver() {
    #expect(!isOver(after: [(0, .seconds(5)), (0, .seconds(5.96))], of: 2))
    #expect(isOver(after: [(0, .seconds(5)), (0, .seconds(6))], of: 2))
  }
}

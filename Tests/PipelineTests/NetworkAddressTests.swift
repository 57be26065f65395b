import Testing

@testable import Pipeline

@Suite struct NetworkAddressTests {
  @Test(arguments: [
    "srt://a:1": 1000, "srt://a:1?mode=caller&latency=120000": 1000,
    "srt://a:1?latency=2500000": 2500,
    "srt://a:1?peerlatency=3000000&rcvlatency=2000000": 3000,
    "srt://a:1?latency=x&maxlatency": 1000,
    "tcp://a:1?latency=2500000": 0, "udp://a:1": 0,
  ])
  func waitsForTheLatencyOfSRT(url: String, milliseconds: Int) throws {
    #expect(try NetworkAddress(MediaPath(url))?.latency == milliseconds)
  }

  @Test func waitsLongerButNotForEverBeforeItConnectsAgain() {
    let attempts = [0, 1, 2, 3, 4, 63, 64, 999]
    #expect(attempts.map(NetworkInput.halfSeconds) == [1, 2, 4, 8, 8, 8, 8, 8])
  }
}

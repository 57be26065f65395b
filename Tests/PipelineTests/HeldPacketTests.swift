import Testing

@testable import Pipeline

@Suite struct HeldPacketTests {
  @Test func packetsWithoutDataFillTheListToo() throws {
    var held = HeldPackets(limit: 2000)
    while !held.isFull && held.packets.count < 100 { held.append(try Packet()) }
    #expect(held.packets.count == 4)
  }
}

import TestSupport
import Testing

@testable import Engine

@Suite struct MemoryPlanTests {
  @Test(arguments: 0..<200)
  func keepsLivingBuffersApart(round: UInt64) {
    var random = SeededGenerator(seed: round)
    let buffers = (0..<Int.random(in: 1...40, using: &random)).map { _ in
      randomBuffer(steps: 30, &random)
    }

    let plan = MemoryPlan(buffers)

    #expect(plan.offsets.count == buffers.count)
    #expect(plan.offsets.allSatisfy { $0 >= 0 && $0 % 64 == 0 })
    let ranges = zip(plan.offsets, buffers).map { $0..<($0 + $1.byteCount) }
    #expect(ranges.map(\.upperBound).max() == plan.byteCount)
    for first in buffers.indices {
      for second in buffers.indices.dropFirst(first + 1)
      where buffers[first].life.overlaps(buffers[second].life) {
        #expect(!ranges[first].overlaps(ranges[second]), "buffers \(first) and \(second)")
      }
    }
  }

  @Test(arguments: 0..<50)
  func needsAtLeastTheWidestMomentAndAtMostTheSum(round: UInt64) {
    var random = SeededGenerator(seed: 1000 + round)
    let buffers = (0..<20).map { _ in randomBuffer(steps: 60, &random) }
    let moments = (0..<60).map { step in
      buffers.filter { $0.life.contains(step) }.reduce(0) { $0 + $1.byteCount }
    }

    let plan = MemoryPlan(buffers)

    #expect(plan.byteCount >= moments.max() ?? 0)
    #expect(plan.byteCount <= buffers.reduce(0) { $0 + ($1.byteCount + 63) / 64 * 64 })
  }

  @Test(arguments: [1, 2, 3, 17, 100])
  func chainNeedsItsWidestMomentOnly(length: Int) {
    // Every step reads the buffer before and writes its own.
    let chain = (0..<length).map { MemoryPlan.Buffer(life: $0...($0 + 1), byteCount: 6400) }

    #expect(MemoryPlan(chain).byteCount == min(length, 2) * 6400)
  }

  @Test func skipConnectionsAddOneBufferToAChain() {
    // The chain, and beside it a buffer that is handed on every four steps.
    let chain = (0..<12).map { MemoryPlan.Buffer(life: $0...($0 + 1), byteCount: 1024) }
    let skips = [0, 5, 10].map { MemoryPlan.Buffer(life: $0...($0 + 4), byteCount: 1024) }

    #expect(MemoryPlan(chain + skips).byteCount == 3 * 1024)
  }

  @Test func buffersThatNeverMeetShareOnePlace() {
    let buffers = [700, 100, 300].enumerated().map {
      MemoryPlan.Buffer(life: (2 * $0.offset)...(2 * $0.offset + 1), byteCount: $0.element)
    }

    let plan = MemoryPlan(buffers)

    #expect(plan.offsets == [0, 0, 0])
    #expect(plan.byteCount == 700)
  }

  // A step reads its operand while it writes its result.
  @Test func buffersThatMeetInOneStepDoNotShare() {
    let plan = MemoryPlan([
      MemoryPlan.Buffer(life: 0...3, byteCount: 100),
      MemoryPlan.Buffer(life: 3...5, byteCount: 100),
    ])

    #expect(plan.offsets == [0, 128])
  }

  @Test func nothingNeedsNothing() {
    #expect(MemoryPlan([]).byteCount == 0)
  }

  private func randomBuffer(steps: Int, _ random: inout SeededGenerator) -> MemoryPlan.Buffer {
    let start = Int.random(in: 0..<steps, using: &random)
    let end = Int.random(in: start..<min(steps, start + 10), using: &random)
    return MemoryPlan.Buffer(life: start...end, byteCount: Int.random(in: 1...1000, using: &random))
  }
}

import Testing

@testable import Engine

@Suite struct OverlapPlanTests {
  // Section A.7 of the description: sides, and where the papers' code begins its tiles.
  @Test(arguments: [
    (64, true, [0]), (500, true, [0]), (512, true, [0]), (513, true, [0, 64]),
    (576, true, [0, 64]), (576, false, [0, 64]), (513, false, [0, 1]), (540, false, [0, 28]),
    (1024, true, [0, 448, 512]), (1920, false, [0, 448, 896, 1344, 1408]),
  ])
  func paperTilesBeginWhereThePapersCodeSays(length: Int, padsPicture: Bool, starts: [Int]) {
    let plan = OverlapPlan(paper: length, side: 512, alignment: 64, padsPicture: padsPicture)

    #expect(plan.windows.map(\.lowerBound) == starts)
  }

  static let lengths = [1, 2, 31, 33, 63, 64, 65, 180, 192, 193, 320, 1000, 1921]

  @Test(arguments: lengths, [64, 128, 192, 512])
  func windowsAreWholeAndCoverThePicture(length: Int, side: Int) {
    for plan in plans(length, side: side) {
      let count = plan.windows[0].count
      #expect(count % 64 == 0 && count <= max(64, side))
      #expect(plan.windows.allSatisfy { $0.count == count && $0.lowerBound >= 0 })
      #expect(plan.windows.allSatisfy { $0.lowerBound < length })
      let covered = plan.visible.reduce(into: Set<Int>()) { $0.formUnion($1) }
      #expect(covered == Set(0..<length))
      for (a, b) in zip(plan.windows, plan.windows.dropFirst()) {
        #expect(a.lowerBound < b.lowerBound && a.upperBound - b.lowerBound >= count / 8)
      }
    }
  }

  @Test(arguments: lengths, [64, 192])
  func sharesSumToOne(length: Int, side: Int) {
    for plan in plans(length, side: side) {
      for isFeathered in [false, true] {
        var sums = [Float](repeating: 0, count: length * 4)
        for (range, shares) in zip(plan.visible, plan.shares(scale: 4, isFeathered: isFeathered)) {
          #expect(shares.count == range.count * 4)
          for (i, share) in shares.enumerated() { sums[range.lowerBound * 4 + i] += share }
        }
        #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 })
      }
    }
  }

  @Test func feathersFadeEvenly() {
    let plan = OverlapPlan(even: 112, side: 64, alignment: 64)
    let shares = plan.shares(scale: 1, isFeathered: true)

    #expect(plan.windows == [0..<64, 48..<112])
    for (i, share) in shares[0][48...].enumerated() {
      #expect(abs(share - (15.5 - Float(i)) / 16) < 1e-6)
    }
  }

  @Test func reflectsAsOftenAsNeeded() {
    #expect((0..<9).map { $0.reflected(in: 3) } == [0, 1, 2, 1, 0, 1, 2, 1, 0])
    #expect((0..<3).map { $0.reflected(in: 1) } == [0, 0, 0])
    #expect((-2).reflected(in: 5) == 2)
  }

  private func plans(_ length: Int, side: Int) -> [OverlapPlan] {
    [
      OverlapPlan(even: length, side: side, alignment: 64),
      OverlapPlan(paper: length, side: side, alignment: 64, padsPicture: true),
      OverlapPlan(paper: length, side: side, alignment: 64, padsPicture: false),
    ]
  }
}

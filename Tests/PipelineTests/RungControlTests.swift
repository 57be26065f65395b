import Testing

@testable import Pipeline

/// What is chosen from three rungs of 100, 40 and 10 ms a frame when the machine becomes slower and faster.
@Suite struct RungControlTests {
  /// Plays frames on an engine that takes one after the other, in steps of a millisecond.
  private struct Play {
    var control: RungControl
    var time: Int64 = 0
    var rungs: [Int] = []
    private var waiting = 0
    private var end: Int64?

    init(interval: Int64, budget: Int64 = 500) {
      control = RungControl(
        costs: RungControlTests.costs.map { .milliseconds($0) },
        interval: .milliseconds(interval),
        budget: .milliseconds(budget),
        capacity: 1,
      )
    }

    /// Lets a frame come every `step` ms, each taking `slowness` times its rung's cost; at most three are
    /// let in, as with `block`, or the fourth is skipped.
    mutating func run(
      seconds: Int64,
      every step: Int64,
      slowness: (Int64) -> Double = { _ in 1 },
      skips: Bool = false,
    ) {
      for _ in 0..<seconds * 1000 {
        time += 1
        if let end, end <= time {
          control.finish(now)
          self.end = nil
        }
        if time % step == 0 {
          if waiting < 3 {
            waiting += 1
            control.start(now)
          } else if skips {
            control.skip(now)
          }
        }
        if end == nil, waiting > 0 {
          waiting -= 1
          rungs.append(control.rung)
          let cost = Double(RungControlTests.costs[control.rung]) * slowness(time)
          end = time + Int64(cost)
        }
      }
    }

    private var now: Instant { Instant(nanoseconds: time * 1_000_000) }
  }

  private static let costs: [Int64] = [100, 40, 10]

  @Test(arguments: zip([200, 100, 50, 12] as [Int64], [0, 1, 2, 2]))
  func beginsWithTheBestThatLeavesTime(interval: Int64, rung: Int) {
    #expect(Play(interval: interval).control.rung == rung)
  }

  @Test func beginsWithWhatFitsIntoTheBudget() {
    #expect(Play(interval: 1000, budget: 100).control.rung == 1)
    #expect(Play(interval: 1000, budget: 5).control.rung == 2, "nothing fits: the cheapest")
  }

  @Test(arguments: [40, 60, 150, 300] as [Int64])
  func staysWhereItIsUnderAnEvenLoad(interval: Int64) {
    var play = Play(interval: interval)
    play.run(seconds: 600, every: interval)
    #expect(play.control.switchCount == 0)
  }

  @Test(arguments: [false, true])
  func goesDownWithinSecondsAndUpAfterCalm(skips: Bool) {
    var play = Play(interval: 150)
    play.run(seconds: 10, every: 150, skips: skips)
    #expect(play.control.rung == 0)
    play.run(seconds: 6, every: 150, slowness: { _ in 2 }, skips: skips)
    #expect(play.control.rung == 1)
    play.run(seconds: 30, every: 150, slowness: { _ in 2 }, skips: skips)
    #expect(play.control.rung == 1 && play.control.switchCount == 1, "80 of 150 ms are enough")
    play.run(seconds: 3, every: 150, skips: skips)
    #expect(play.control.rung == 1, "it waits for calm")
    play.run(seconds: 6, every: 150, skips: skips)
    #expect(play.control.rung == 0 && play.control.switchCount == 2)
  }

  @Test func goesDownRungByRungAsFarAsNeeded() {
    var play = Play(interval: 150)
    play.run(seconds: 20, every: 150, slowness: { _ in 10 })
    #expect(play.control.rung == 2)
  }

  // The load changes every ten seconds, so that every climb is followed by a fall.
  @Test func aLoadThatComesAndGoesIsClimbedEverMoreSeldom() {
    var play = Play(interval: 150)
    play.run(seconds: 1800, every: 150, slowness: { $0 / 10_000 % 2 == 0 ? 1 : 2 })
    #expect((2...12).contains(play.control.switchCount), "\(play.control.switchCount) in 30 min")
  }

  @Test func aLoadBetweenTwoRungsDoesNotMakeItFlap() {
    // Rung 0 would be busy for 1.2 of the time, rung 1 for 0.48.
    var play = Play(interval: 83)
    play.run(seconds: 1800, every: 83)
    #expect(play.control.switchCount == 0 && play.control.rung == 1)
    // It varies by a third from second to second.
    play.run(seconds: 1800, every: 83, slowness: { 1 + Double($0 / 1000 % 3) / 6 })
    #expect(play.control.switchCount <= 2)
  }

  @Test func silenceSaysNothing() {
    var play = Play(interval: 83)
    play.run(seconds: 60, every: 83)
    play.run(seconds: 120, every: 30_000)
    #expect(play.control.switchCount == 0)
  }
}

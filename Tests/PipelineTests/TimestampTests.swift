import Testing

@testable import Pipeline

@Suite struct TimestampTests {
  @Test func leavesGrowingTimesAlone() {
    var repair = TimestampRepair()
    let times: [Int64] = [-5, 0, 7, 100]
    #expect(times.map { repair.repaired($0, duration: 5) } == times)
    #expect(repair.repairs == 0)
  }

  @Test func inventsMissingTimesFromDurations() {
    var repair = TimestampRepair()
    #expect(repair.repaired(nil, duration: 40) == 0)
    #expect(repair.repaired(nil, duration: 40) == 40)
    #expect(repair.repaired(100, duration: 40) == 100)
    #expect(repair.repaired(nil, duration: 40) == 140)
    #expect(repair.repairs == 3)
  }

  @Test func movesTimesThatDoNotGrow() {
    var repair = TimestampRepair()
    #expect([10, 10, 5, 20].map { repair.repaired($0, duration: 1) } == [10, 11, 12, 20])
    #expect(repair.repairs == 2)
  }

  @Test func neverTrapsOnTheLargestTimes() {
    var repair = TimestampRepair()
    for ticks in [Int64.max, nil, Int64.max, Int64.min, nil] {
      _ = repair.repaired(ticks, duration: .max)
    }
  }

  @Test func convertsDurationsExactly() {
    #expect(Duration.milliseconds(1500).ticks(of: Rational(1, 90000)) == 135_000)
    #expect((Duration.zero - .milliseconds(20)).ticks(of: Rational(1, 1000)) == -20)
    let time = Timestamp(ticks: 1001, timeBase: Rational(1, 30000))
    #expect(time.duration == .nanoseconds(33_366_667))
  }

  @Test func roundsDurationsOnce() {
    #expect(Duration.milliseconds(1040).ticks(of: Rational(2, 25)) == 13)
    #expect((Duration.zero - .milliseconds(1040)).ticks(of: Rational(2, 25)) == -13)
    #expect(Duration.milliseconds(1500).ticks(of: Rational(1, 1)) == 2)
    #expect((Duration.zero - .milliseconds(1500)).ticks(of: Rational(1, 1)) == -2)
    #expect(Duration.seconds(Int64.max).ticks(of: Rational(1, .max)) == .max)
    #expect(Duration.seconds(Int64.min).ticks(of: Rational(1, .max)) == .min)
    #expect(Duration.seconds(Int64.max).ticks(of: Rational(1, 1)) == .max)
  }

  @Test func aPartInFramesIsUndecidedUntilItsFramesAreDecoded() {
    let window = PartWindow(Part(frames: 2..<4))
    #expect(window.answer(at: .seconds(1)) == .undecided)
    #expect(!window.contains(frame: 0, at: .zero))
    #expect(!window.contains(frame: 1, at: .seconds(1)))
    #expect(window.answer(at: .milliseconds(900)) == .drop)
    #expect(window.contains(frame: 2, at: .seconds(2)))
    #expect(window.answer(at: .seconds(2)) == .keep(offset: .seconds(-2)))
    #expect(window.answer(at: .seconds(3)) == .undecided)
    #expect(window.contains(frame: 3, at: .seconds(3)))
    #expect(!window.contains(frame: 4, at: .seconds(4)))
    #expect(window.isOver(after: 4, at: .seconds(4)))
    #expect(window.answer(at: .milliseconds(3900)) == .keep(offset: .seconds(-2)))
    #expect(window.answer(at: .seconds(4)) == .drop)
  }

  @Test func aPartInFramesEndsInTimeToo() {
    let window = PartWindow(Part(end: .seconds(1), frames: 0..<1000))
    #expect(window.end == .seconds(1))
    #expect(window.answer(at: .seconds(1)) == .drop)
    #expect(window.contains(frame: 0, at: .zero))
    #expect(window.answer(at: .milliseconds(900)) == .undecided)
    #expect(!window.contains(frame: 25, at: .seconds(1)))
    window.close()
    #expect(window.answer(at: .milliseconds(900)) == .keep(offset: .zero))
    #expect(window.answer(at: .milliseconds(1200)) == .drop)
  }

  @Test func theFirstOfTwoEndsCounts() {
    let window = PartWindow(Part(end: .seconds(4), frames: 0..<2))
    #expect(window.contains(frame: 1, at: .seconds(1)))
    #expect(!window.contains(frame: 2, at: .seconds(2)))
    #expect(window.answer(at: .milliseconds(1900)) == .keep(offset: .zero))
    #expect(window.answer(at: .seconds(2)) == .drop)
    #expect(window.end == .seconds(2))
  }

  @Test func theLastOfTwoStartsCounts() {
    let late = PartWindow(Part(start: .seconds(3), frames: 2..<100))
    #expect(!late.contains(frame: 2, at: .seconds(2)))
    #expect(late.answer(at: .milliseconds(2500)) == .drop)
    #expect(late.contains(frame: 3, at: .seconds(3)))
    #expect(late.frameOffset == .seconds(-3))
    #expect(late.answer(at: .seconds(3)) == .keep(offset: .seconds(-3)))
    let early = PartWindow(Part(start: .seconds(1), frames: 2..<100))
    #expect(early.contains(frame: 2, at: .seconds(2)))
    #expect(early.frameOffset == .seconds(-2))
  }

  @Test func chaptersMoveAsFarAsTheFrames() {
    let rate = Rational(25, 1)
    let window = { PartWindow($0, origin: .seconds(10)).estimatedOffset(frameRate: rate) }
    #expect(window(Part()) == .zero)
    #expect(window(Part(start: .seconds(3))) == .seconds(-13))
    #expect(window(Part(frames: 50..<100)) == .seconds(-12))
    #expect(window(Part(start: .seconds(3), frames: 50..<100)) == .seconds(-13))
    #expect(window(Part(start: .seconds(1), frames: 50..<100)) == .seconds(-12))
  }

  @Test func whatIsShownForAWhileEndsAtTheEndsOfThePart() {
    let window = PartWindow(Part(start: .seconds(2), end: .seconds(4)))
    #expect(window.answer(at: .seconds(1), lasting: .seconds(1)) == .drop)
    #expect(window.answer(at: .seconds(1), lasting: .seconds(4)) == .keep(offset: .seconds(-2)))
    #expect(window.answer(at: .seconds(4), lasting: .seconds(4)) == .drop)
    let shown = window.clipped(.seconds(1), lasting: .seconds(4))
    #expect(shown.start == .seconds(2) && shown.end == .seconds(4))
    let inside = window.clipped(.milliseconds(2500), lasting: .seconds(1))
    #expect(inside.start == .milliseconds(2500) && inside.end == .milliseconds(3500))
  }

  @Test func whatIsShownForAWhileWaitsForTheEndOfAPartInFrames() {
    let window = PartWindow(Part(frames: 2..<4))
    #expect(!window.contains(frame: 1, at: .seconds(1)))
    #expect(window.answer(at: .zero, lasting: .seconds(1)) == .drop)
    #expect(window.answer(at: .zero, lasting: .seconds(5)) == .undecided)
    #expect(window.contains(frame: 2, at: .seconds(2)))
    #expect(window.answer(at: .zero, lasting: .seconds(5)) == .undecided)
    #expect(!window.contains(frame: 4, at: .seconds(4)))
    #expect(window.answer(at: .zero, lasting: .seconds(5)) == .keep(offset: .seconds(-2)))
    #expect(window.clipped(.zero, lasting: .seconds(5)).end == .seconds(4))
  }

  @Test func aPartInTimeIsDecidedAtOnce() {
    let window = PartWindow(Part(start: .seconds(1), end: .seconds(2)))
    #expect(window.answer(at: .milliseconds(999)) == .drop)
    #expect(window.answer(at: .seconds(1)) == .keep(offset: .seconds(-1)))
    #expect(window.answer(at: .seconds(2)) == .drop)
  }
}

import Testing

@testable import Pipeline

/// What an engine gets that takes 100 ms a frame, when frames come every 25 ms and 500 ms are allowed.
@Suite struct LoadControlTests {
  /// Plays some seconds; frames that start are finished in their time.
  private struct Play {
    var control: LoadControl
    var upscaled: [Int] = []
    var skipped: [Int] = []
    var delays: [Duration] = []
    private var end: (number: Int, at: Int64)?
    private var arrivals: [Int: Int64] = [:]

    init(_ policy: OverloadPolicy, budget: Duration = .milliseconds(500)) {
      control = LoadControl(policy, maximumDelay: budget, capacity: 1)
    }

    mutating func run(frames: Range<Int>, every step: Int64 = 25, work: Int64 = 100) {
      for time in Int64(frames.lowerBound) * step..<Int64(frames.upperBound) * step {
        var verdicts: [LoadControl.Verdict] = []
        if let done = end, done.at == time {
          end = nil
          delays.append(.milliseconds(time - arrivals[done.number, default: 0]))
          verdicts += control.finish(done.number, now: instant(time))
        }
        if time % step == 0 {
          let number = Int(time / step)
          arrivals[number] = time
          verdicts += control.add(number, arrival: instant(time), now: instant(time))
        }
        for verdict in verdicts {
          switch verdict {
          case .skip(let number): skipped.append(number)
          case .upscale(let number):
            upscaled.append(number)
            end = (number, time + work)
          }
        }
      }
    }

    private func instant(_ milliseconds: Int64) -> Instant {
      Instant(nanoseconds: milliseconds * 1_000_000)
    }
  }

  @Test(arguments: [OverloadPolicy.drop, .resize, .passthrough])
  func leavesNothingOutWhileThereIsTime(policy: OverloadPolicy) {
    var play = Play(policy)
    play.run(frames: 0..<200, work: 24)
    #expect(play.skipped.isEmpty && play.upscaled.count == 200)
    #expect(!play.control.isOverloaded)
  }

  @Test(arguments: [OverloadPolicy.drop, .resize])
  func givesAnOverloadedEngineTheNewestFrames(policy: OverloadPolicy) {
    var play = Play(policy)
    play.run(frames: 0..<400)
    #expect(play.control.isOverloaded)
    #expect(Set(play.upscaled).isDisjoint(with: play.skipped))
    // A frame may still wait.
    #expect(play.upscaled.count + play.skipped.count >= 399)
    let late = play.upscaled.suffix(60)
    #expect(zip(late, late.dropFirst()).allSatisfy { $1 - $0 == 4 }, "evenly spread")
    #expect(play.delays.allSatisfy { $0 <= .milliseconds(450) })
    #expect(play.delays.suffix(60).allSatisfy { $0 <= .milliseconds(125) })
  }

  @Test(arguments: [OverloadPolicy.drop, .resize, .passthrough])
  func startsNothingWithoutMemoryForItsResult(policy: OverloadPolicy) {
    var control = LoadControl(
      policy,
      maximumDelay: .seconds(5),
      capacity: 4,
      mostResults: 3
    )
    let verdicts = (0..<5).flatMap { control.add($0, arrival: at(0), now: at(0)) }
    #expect(verdicts == [.upscale(0), .upscale(1), .upscale(2), .skip(3), .skip(4)])
    for number in 0..<3 { _ = control.finish(number, now: at(1)) }
    #expect(control.add(5, arrival: at(60), now: at(60)) == [.skip(5)], "nobody took them")
    control.resultCount = 0
    #expect(control.add(6, arrival: at(120), now: at(120)) == [.upscale(6)])
  }

  private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

  @Test func recoversWhenTheLoadFalls() {
    var play = Play(.resize)
    play.run(frames: 0..<200)
    play.run(frames: 200..<400, work: 20)
    #expect(!play.control.isOverloaded)
    #expect(play.upscaled.suffix(100).elementsEqual(300..<400))
  }

  // Otherwise it would expect the old time for many frames yet.
  @Test func triesAnEngineThatHasChangedAtOnce() {
    var play = Play(.resize, budget: .milliseconds(80))
    play.run(frames: 0..<40)
    #expect(play.upscaled.count <= 2)
    play.control.forgetWork(Instant(nanoseconds: 1_000_000_000))
    play.run(frames: 40..<240, work: 20)
    #expect(play.upscaled.suffix(190).elementsEqual(50..<240), "\(play.upscaled.count)")
  }

  @Test func passesWholeStretches() {
    var play = Play(.passthrough)
    play.run(frames: 0..<1000)
    let changes = zip(play.skipped, play.skipped.dropFirst()).count { $1 != $0 + 1 }
    #expect((1...10).contains(changes), "\(changes)")
    #expect(play.skipped.count > 800)
    #expect(play.delays.allSatisfy { $0 <= .milliseconds(500) })
  }

  @Test func anEngineThatIsAlwaysTooSlowIsTriedSeldomButWithDropAlways() {
    var resize = Play(.resize, budget: .milliseconds(50))
    resize.run(frames: 0..<800)
    #expect((2...8).contains(resize.upscaled.count), "\(resize.upscaled.count) in 20 s")
    var drop = Play(.drop, budget: .milliseconds(50))
    drop.run(frames: 0..<800)
    #expect(drop.upscaled.count > 150, "the pictures move")
  }
}

@Suite struct DelayHistogramTests {
  // It counts whole milliseconds, and a frame that leaves at once takes far less than one.
  @Test func noShareOfAllIsLaterThanTheLast() throws {
    let meter = DelayMeter(limit: .seconds(1))
    meter.add(Passage(arrival: .now))
    let report = try #require(meter.report)
    #expect(report.longestDelay > .zero)
    #expect(report.longDelay <= report.longestDelay)
    #expect(report.medianDelay <= report.longestDelay)
  }

  @Test func tellsWhatSharesDoNotExceed() {
    var histogram = DelayHistogram()
    #expect(histogram.delay(of: 0.99) == .zero)
    for milliseconds in 1...200 { histogram.add(.milliseconds(milliseconds)) }
    #expect(histogram.delay(of: 0.5) == .milliseconds(100))
    #expect(histogram.delay(of: 0.99) == .milliseconds(198))
    histogram.add(.seconds(1000))
    #expect(histogram.delay(of: 1) == .milliseconds(65_535))
  }
}

internal import Engine

/// Lets frames into the engine: all of them, or live those that it can enlarge in time.
///
/// Used by the thread that decodes and by those of the engine.
final class Admission: Sendable {
  private struct State {
    var repeats: RepeatedPictures
    var control: LoadControl?
    var rungs: RungControl?
    var number = 0
    var undecided: [Int: Candidate] = [:]
  }

  private struct Candidate {
    let image: Image
    let picture: AwaitedPicture
  }

  private struct Started {
    let number: Int
    let picture: AwaitedPicture
    let result: HeldResult
  }

  // What has to be done without the lock.
  private struct Outcome {
    let started: [Started]
    let change: (old: Int, new: Int)?
  }

  private let state: Monitor<State>
  private let delays: DelayMeter
  private let held = HeldResult.Count()
  private let drops: Bool
  private let ladder: Ladder

  /// Lets in what `live` allows for an engine that works on `framesAtOnce` and of which `mostResults` may be there;
  /// everything if `live` is `nil`.
  ///
  /// Frames come at `interval`, about.
  init(
    _ live: LiveOptions?,
    framesAtOnce: Int,
    mostResults: Int,
    interval: Duration,
    repeatTolerance: Float?,
    delays: DelayMeter,
    ladder: Ladder,
  ) {
    let control = live.flatMap { live in
      live.overload == .block
        ? nil
        : LoadControl(
          live.overload,
          maximumDelay: live.maximumDelay,
          capacity: framesAtOnce,
          mostResults: mostResults
        )
    }
    state = Monitor(
      State(
        repeats: RepeatedPictures(tolerance: repeatTolerance),
        control: control,
        rungs: ladder.control(live, interval: interval, capacity: framesAtOnce),
      )
    )
    drops = live?.overload == .drop
    self.delays = delays
    self.ladder = ladder
  }

  /// Pictures that were equal to the one before.
  var repeatedCount: Int { state.withLock { $0.repeats.count } }

  /// Lets the next picture be upscaled whatever came before it.
  func forgetRepeats() { state.withLock { $0.repeats.forget() } }

  /// Hands over a frame; what becomes of it may be decided later.
  ///
  /// - Returns: The picture, and whether it is known to be the one of the frame before.
  func submit(_ image: Image, arrival: Instant) -> (picture: AwaitedPicture, isRepeated: Bool) {
    let picture = AwaitedPicture(arrival: arrival)
    var isRepeated = false
    perform { state in
      defer { state.number += 1 }
      let (number, repeats) = (state.number, state.repeats.count)
      state.undecided[number] = Candidate(image: image, picture: picture)
      guard state.control != nil else {
        defer { isRepeated = state.repeats.count > repeats }
        return carryOut([.upscale(number)], &state)
      }
      return decide(&state) { $0.add(number, arrival: arrival, now: .now) }
    }
    return (picture, isRepeated)
  }

  private func finish(_ number: Int) {
    perform { state in
      state.rungs?.finish(.now)
      return decide(&state) { $0.finish(number, now: .now) }
    }
  }

  private func perform(_ body: (inout State) -> [Started]) {
    let outcome = state.withLock { state in
      let old = state.rungs?.rung
      let started = body(&state)
      guard let old, let new = state.rungs?.rung, new != old else {
        return Outcome(started: started, change: nil)
      }
      delays.countSwitch()
      state.control?.forgetWork(.now)
      return Outcome(started: started, change: (old, new))
    }
    if let change = outcome.change { ladder.onChange(change.old, change.new) }
    watch(outcome.started)
  }

  private func decide(
    _ state: inout State,
    _ body: (inout LoadControl) -> [LoadControl.Verdict],
  ) -> [Started] {
    guard var control = state.control else { return [] }
    let trials = control.trialCount
    control.rest = delays.timeAfterEngine
    control.resultCount = held.value
    let verdicts = body(&control)
    if control.trialCount > trials { delays.forgetExpectation() }
    state.control = control
    return carryOut(verdicts, &state)
  }

  private func carryOut(_ verdicts: [LoadControl.Verdict], _ state: inout State) -> [Started] {
    verdicts.compactMap { verdict in
      switch verdict {
      case .upscale(let number): return start(number, &state)
      case .skip(let number):
        skip(number, &state)
        return nil
      }
    }
  }

  private func start(_ number: Int, _ state: inout State) -> Started? {
    guard let frame = state.undecided.removeValue(forKey: number) else { return nil }
    let rung = state.rungs?.rung ?? 0
    do throws(EngineError) {
      let upscale = ladder.rungs[rung].upscale
      let pending = try state.repeats.picture(for: frame.image, rung: rung, upscale: upscale)
      state.rungs?.start(.now)
      delays.count(.upscaled(rung: rung))
      let result = HeldResult(pending, in: held)
      return Started(number: number, picture: frame.picture, result: result)
    } catch {
      frame.picture.decide(.failed(error))
      return nil
    }
  }

  private func skip(_ number: Int, _ state: inout State) {
    guard let frame = state.undecided.removeValue(forKey: number) else { return }
    state.rungs?.skip(.now)
    delays.count(drops ? .dropped : .resized)
    frame.picture.decide(drops ? .dropped : .skipped(frame.image))
  }

  // Without the lock: a picture that is ready calls back at once.
  private func watch(_ started: [Started]) {
    for frame in started {
      frame.result.pending.whenReady { [self] in
        frame.picture.decide(.upscaled(frame.result, ready: .now))
        finish(frame.number)
      }
    }
  }
}

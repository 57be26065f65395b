import Testing

@testable import Pipeline

@Suite struct QueueStateTests {
  @Test func fillsItsSlotsInOrderAndThenMakesTheProducerWait() {
    var state = QueueState(capacity: 2)
    #expect(state.push() == .store(slot: 0))
    #expect(state.push() == .store(slot: 1))
    #expect(state.push() == .wait)
    #expect(state.pop() == .take(slot: 0))
    #expect(state.push() == .store(slot: 0))
    #expect(state.pop() == .take(slot: 1))
    #expect(state.pop() == .take(slot: 0))
    #expect(state.pop() == .wait)
  }

  @Test func lightValuesDoNotCountAsLongAsThereAreSlots() {
    var state = QueueState(capacity: 1, spare: 2)
    #expect(state.push(isLight: true) == .store(slot: 0))
    #expect(state.push() == .store(slot: 1))
    #expect(state.push() == .wait)
    #expect(state.push(isLight: true) == .store(slot: 2))
    #expect(state.push(isLight: true) == .wait)
    #expect(state.pop() == .take(slot: 0))
    #expect(state.push() == .wait)
    #expect(state.pop() == .take(slot: 1))
    #expect(state.push() == .store(slot: 0))
  }

  @Test func givesOutWhatItHoldsAfterClosing() {
    var state = QueueState(capacity: 2)
    _ = state.push()
    state.close()
    #expect(state.push() == .refuse)
    #expect(state.pop() == .take(slot: 0))
    #expect(state.pop() == .end)
  }

  @Test func staysOpenUntilEveryProducerHasClosed() {
    var state = QueueState(capacity: 2, producers: 2)
    state.close()
    #expect(state.push() == .store(slot: 0))
    state.close()
    #expect(state.push() == .refuse)
  }

  @Test func forgetsEverythingWhenCancelled() {
    var state = QueueState(capacity: 3, producers: 2)
    _ = state.push()
    _ = state.push()
    _ = state.pop()
    _ = state.push()
    _ = state.push()
    #expect(state.cancel() == [1, 2, 0])
    #expect(state.push() == .refuse)
    #expect(state.pop() == .end)
  }
}

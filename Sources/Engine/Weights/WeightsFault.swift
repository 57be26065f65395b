/// What makes a model file unusable, in words that follow its name.
struct WeightsFault: Error, Equatable {
  let reason: String

  init(_ reason: String) {
    self.reason = reason
  }
}

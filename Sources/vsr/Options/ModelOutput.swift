internal import ArgumentParser
internal import Pipeline

extension MediaPath {
  /// Refuses what is no name for a model that is written.
  ///
  /// - Throws: A `ValidationError`.
  func checkNamesModel() throws {
    guard pathExtension == "safetensors" else {
      throw ValidationError(
        "the output's name must end in .safetensors, as in: -o model.safetensors"
      )
    }
  }
}

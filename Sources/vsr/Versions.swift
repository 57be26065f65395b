internal import Engine
internal import Pipeline

/// What this program is made of.
enum Versions {
  static let number = "0.1.0"

  /// For `--version`: the program, then its libraries.
  static var text: String {
    let libraries = (MediaLibraries.versions + Machine.libraries).map { "\($0.name) \($0.version)" }
    return """
      vsr \(number)
      \(libraries.joined(separator: ", "))
      kernels for \(Machine.kernelLevel), \(Machine.processorCount) processors
      """
  }
}

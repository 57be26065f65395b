/// What stops the engine: a model that cannot be used, or a size that does not fit.
public enum EngineError: Error, Hashable {
  /// The weights file cannot be used: the user's name for it, and why.
  case model(subject: String, reason: String)

  /// The library that runs the network refused an operation.
  case backend(operation: String, reason: String)
}

extension EngineError: CustomStringConvertible {
  /// One line for a person: what could not be done, to what, and why.
  public var description: String {
    switch self {
    case .model(let subject, let reason): "cannot load model \(subject): \(reason)"
    case .backend(let operation, let reason): "cannot run \(operation): \(reason)"
    }
  }
}

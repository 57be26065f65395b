/// What stops the engine: a model that cannot be used, or a size that does not fit.
public enum EngineError: Error, Hashable {
  /// The weights file cannot be used: the user's name for it, and why.
  case model(subject: String, reason: String)

  /// The library that runs the network refused an operation, or the system the threads for it.
  case backend(operation: String, reason: String)

  /// The memory is too small even for the smallest tiles and one worker: what is needed, and what there
  /// is, in bytes.
  case memory(needed: Int, limit: Int)
}

extension EngineError: CustomStringConvertible {
  /// One line for a person: what could not be done, to what, and why.
  public var description: String {
    switch self {
    case .model(let subject, let reason): "cannot load model \(subject): \(reason)"
    case .backend(let operation, let reason): "cannot run \(operation): \(reason)"
    case .memory(let needed, let limit):
      "cannot work within \(limit.mebibytes): \(needed.mebibytes) are needed at least; "
        + "--memory allows more"
    }
  }
}

extension Int {
  /// A number of bytes for a person, rounded up.
  public var mebibytes: String { "\((self + (1 << 20) - 1) >> 20) MiB" }
}

internal import Engine
internal import Pipeline

/// How a run ended, as scripts see it; the numbers follow sysexits where one fits.
enum ExitStatus: Error {
  case complete
  case damagedInput
  case usage
  case inputRefused
  case inputMissing
  case tooMuchDamage
  case bug
  case cannotCreate
  case inputOutput
  case modelRefused
  case cancelled(signal: Int32)

  var code: Int32 {
    switch self {
    case .complete: 0
    case .damagedInput: 4
    case .usage: 64
    case .inputRefused: 65
    case .inputMissing: 66
    case .tooMuchDamage: 69
    case .bug: 70
    case .cannotCreate: 73
    case .inputOutput: 74
    case .modelRefused: 78
    case .cancelled(let signal): 128 + signal
    }
  }

  /// The status for an error of ours; nil for those of the option parser.
  init?(_ error: any Error) {
    switch error {
    case let status as ExitStatus: self = status
    case let error as EngineError: self = ExitStatus(error)
    case let error as MediaError: self = ExitStatus(error.kind)
    default: return nil
    }
  }

  private init(_ error: EngineError) {
    switch error {
    case .model: self = .modelRefused
    case .backend: self = .bug
    case .memory: self = .inputRefused
    }
  }

  private init(_ kind: MediaError.Kind) {
    switch kind {
    case .usage: self = .usage
    case .refused, .limit: self = .inputRefused
    case .missing: self = .inputMissing
    case .damaged: self = .tooMuchDamage
    case .cannotCreate: self = .cannotCreate
    case .inputOutput: self = .inputOutput
    case .bug: self = .bug
    case .cancelled(let signal): self = .cancelled(signal: signal)
    case .engine(let error): self = ExitStatus(error)
    }
  }

  /// The line that a person reads about an error; nil when all was said before.
  func line(for error: any Error) -> String? {
    switch self {
    case .cancelled:
      "vsr: interrupted; \(ExitStatus.remains(error) ?? "nothing was written")"
    default: error is ExitStatus ? nil : "vsr: \(error)"
    }
  }

  private static func remains(_ error: any Error) -> String? {
    (error as? MediaError).flatMap { $0.reason.isEmpty ? nil : $0.reason }
  }
}

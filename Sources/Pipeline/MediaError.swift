public import Engine
internal import FFmpegC

/// What stopped the work on a media file: which step failed, on what, and why.
public struct MediaError: Error, Hashable {
  /// What was being done.
  public enum Step: String, Sendable {
    case open, read, decode, convert, encode, create, write, use, upscale
    case resume = "continue"
  }

  /// Whose fault it is; a command derives its exit code from this.
  public enum Kind: Hashable, Sendable {
    /// An option asks for something that cannot be done.
    case usage

    /// The input is not usable video.
    case refused

    /// More of the input is damaged than the run accepts.
    case damaged

    /// The input goes beyond a limit on size or number.
    case limit

    /// The input cannot be opened.
    case missing

    /// The output cannot be created.
    case cannotCreate

    /// Reading or writing failed on the way.
    case inputOutput

    /// A library refused what it must accept.
    case bug

    /// Somebody asked for an end, for instance with this signal.
    case cancelled(signal: Int32)

    /// The engine that makes pictures larger cannot do it.
    case engine(EngineError)
  }

  /// Whose fault it is.
  public let kind: Kind

  /// What was being done.
  public let step: Step

  /// On what; a path is quoted.
  public let subject: String

  /// Why it failed, in lower case; what a cancelled run leaves behind, or empty for nothing.
  public let reason: String

  init(_ kind: Kind, _ step: Step, _ subject: String, _ reason: String) {
    self.kind = kind
    self.step = step
    self.subject = subject
    self.reason = reason
  }
}

extension MediaError: CustomStringConvertible {
  /// One line for a person: what could not be done, to what, and why.
  public var description: String {
    switch kind {
    case .engine(let error): "\(error)"
    case .cancelled: "cancelled"
    default: "cannot \(step.rawValue) \(subject): \(reason)"
    }
  }
}

extension MediaError {
  /// The end of a run whose input was ended by a signal, and whose output is complete up to there.
  public static func interrupted(signal: Int32) -> MediaError {
    .cancelled(signal: signal, remains: "the output is complete up to here")
  }

  /// An end that somebody asked for; `remains` is what the run leaves, if anything.
  static func cancelled(signal: Int32, remains: String = "") -> MediaError {
    MediaError(.cancelled(signal: signal), .write, "", remains)
  }

  /// A system call that failed with the error number `code`.
  static func system(_ kind: Kind, _ step: Step, _ subject: String, errno code: Int32) -> MediaError
  {
    MediaError(kind, step, subject, reason(ofCode: -code))
  }

  /// The sentence that libav has for one of its codes.
  static func reason(ofCode code: Int32) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(AV_ERROR_MAX_STRING_SIZE)) {
      text in
      guard let start = text.baseAddress else { return "error \(code)" }
      unsafe av_strerror(code, start, text.count)
      return unsafe String(cString: start)
    }
  }
}

extension MediaError.Step {
  /// Whose fault it usually is when libav reports that this step failed.
  fileprivate var usualKind: MediaError.Kind {
    switch self {
    case .open, .decode: .refused
    case .read, .write: .inputOutput
    case .create: .cannotCreate
    case .use, .resume: .usage
    case .convert, .encode, .upscale: .bug
    }
  }
}

/// Returns `code`, or throws when libav means an error by it.
///
/// The reason is the line that libav logged about it on this thread, when there is one.
@discardableResult
func check(
  _ code: Int32,
  _ step: MediaError.Step,
  _ subject: @autoclosure () -> String,
  kind: MediaError.Kind? = nil,
) throws(MediaError) -> Int32 {
  guard code < 0 else { return code }
  let logged = unsafe String(cString: ffmpegc_last_error())
  ffmpegc_clear_last_error()
  let reason = logged.isEmpty ? MediaError.reason(ofCode: code) : logged
  throw MediaError(kind ?? step.usualKind, step, subject(), reason)
}

/// Returns what libav promises to be there.
func present<T>(_ pointer: T?) -> T {
  guard let pointer else { preconditionFailure("libav breaks its promise that this is not null") }
  return pointer
}

/// Returns what a C constructor made, or throws that memory ran out.
func allocated<T>(_ pointer: T?, _ subject: String) throws(MediaError) -> T {
  guard let pointer else { throw MediaError(.limit, .use, subject, "out of memory") }
  return pointer
}

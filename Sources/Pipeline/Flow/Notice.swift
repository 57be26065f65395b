/// Something a person should know about a run.
public struct Notice: Hashable, Sendable {
  /// Who wants to read it.
  public enum Level: Hashable, Sendable {
    /// Everybody: something is different from what one expects.
    case warning

    /// Whoever asks for details.
    case detail
  }

  /// Who wants to read it.
  public let level: Level

  /// One line without a full stop.
  public let text: String

  /// A notice for everybody.
  public static func warning(_ text: String) -> Notice { Notice(level: .warning, text: text) }

  /// A notice for whoever asks for details.
  public static func detail(_ text: String) -> Notice { Notice(level: .detail, text: text) }
}

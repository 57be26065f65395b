internal import Glibc
internal import Pipeline

/// Where text goes: what a person reads to standard error, data to standard output.
enum Console {
  /// Whether a person watches standard error.
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes a line for a person.
  static func say(_ line: String) {
    sayInPlace(line + "\n")
  }

  /// Writes to standard error without ending the line.
  static func sayInPlace(_ text: String) {
    // There is no other place to tell that this one fails.
    try? TextStream.error.write(text)
  }

  /// Writes a line of data.
  static func print(_ line: String) throws(MediaError) {
    try TextStream.output.write(line + "\n")
  }
}

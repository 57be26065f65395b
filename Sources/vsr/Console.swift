internal import Glibc

/// Where text goes: what a person reads to standard error, data to standard output.
enum Console {
  /// Whether a person watches standard error.
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes a line for a person.
  static func say(_ line: String) {
    write(line + "\n", to: STDERR_FILENO)
  }

  /// Writes to standard error without ending the line.
  static func sayInPlace(_ text: String) {
    write(text, to: STDERR_FILENO)
  }

  /// Writes a line of data.
  static func print(_ line: String) {
    write(line + "\n", to: STDOUT_FILENO)
  }

  // A reader that has left (EPIPE) is no error worth a message: there is nobody to read it.
  private static func write(_ text: String, to file: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      bytes.removeFirst(count)
    }
  }
}

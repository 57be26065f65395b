internal import Pipeline

/// The arguments as the system gave them, beside the text that the option parser works on.
///
/// Swift repairs arguments that are not UTF-8; a path among them would no longer be found, so its
/// bytes are remembered under the repaired text.
enum RawArguments {
  /// The arguments with the names that other tools use replaced by ours; what follows `--` is no name.
  static var normalized: [String] {
    let arguments = CommandLine.arguments.dropFirst()
    let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
    return arguments[..<end].map(normalized) + arguments[end...]
  }

  private static func normalized(_ argument: String) -> String {
    guard argument.hasPrefix("-"), argument.count > 1 else { return argument }
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0].map { $0 == "_" ? "-" : $0 })
    return ([synonyms[name] ?? name] + parts.dropFirst().map(String.init)).joined(separator: "=")
  }

  /// The bytes of an argument, given its text.
  static func path(_ text: String) -> MediaPath {
    unrepaired[text].map { MediaPath(bytes: $0) } ?? MediaPath(text)
  }

  private static let synonyms = [
    "-V": "--version",
    "--outscale": "--scale",
    "--scaling-factor": "--scale",
    "--tile-size": "--tile",
    "--tilesize": "--tile",
  ]

  private static let unrepaired: [String: [CChar]] = {
    let raw = (0..<Int(CommandLine.argc)).compactMap { CommandLine.unsafeArgv[$0] }
    let invalid = raw.filter { String(validatingCString: $0) == nil }
    return Dictionary(
      invalid.map { (String(cString: $0), Array(UnsafeBufferPointer(cString: $0))) }
    ) {
      first,
      _ in first
    }
  }()
}

extension UnsafeBufferPointer<CChar> {
  fileprivate init(cString: UnsafeMutablePointer<CChar>) {
    var count = 0
    while cString[count] != 0 { count += 1 }
    self.init(start: cString, count: count)
  }
}

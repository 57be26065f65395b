internal import ArgumentParser
internal import Pipeline

/// The arguments as the system gave them, beside the text that the option parser works on.
///
/// Swift repairs arguments that are not UTF-8; a path among them would no longer be found, so its
/// bytes are remembered under the repaired text, and so are those of what follows `--name=`.
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

  /// The bytes of an argument or of the value in it, given its text.
  static func path(_ text: String) -> MediaPath {
    names[Array(text.utf8)]?.first ?? MediaPath(text)
  }

  /// Refuses different names with one text, of which only one would be found.
  ///
  /// - Throws: A `ValidationError`.
  static func checkNames() throws {
    guard let name = names.values.first(where: { $0.count > 1 })?.first else { return }
    throw ValidationError(
      "\(name.quoted) may be either of two names that are not UTF-8; rename one of the files"
    )
  }

  private static let synonyms = [
    "-V": "--version",
    "--outscale": "--scale",
    "--scaling-factor": "--scale",
    "--tile-size": "--tile",
    "--tilesize": "--tile",
  ]

  // By the bytes of their text: names that are equal as strings may be those of two files.
  private static let names: [[UInt8]: Set<MediaPath>] = {
    let arguments = (0..<Int(CommandLine.argc)).compactMap { CommandLine.unsafeArgv[$0] }
      .map { Array(UnsafeBufferPointer(cString: $0)) }
    let paths = (arguments + arguments.compactMap { value(in: $0) }).map { MediaPath(bytes: $0) }
    return Dictionary(grouping: paths) { Array($0.text.utf8) }.mapValues { Set($0) }
  }()

  private static func value(in argument: [CChar]) -> [CChar]? {
    guard argument.first == CChar(UInt8(ascii: "-")),
      let equals = argument.firstIndex(of: CChar(UInt8(ascii: "=")))
    else { return nil }
    return Array(argument[(equals + 1)...])
  }
}

extension UnsafeBufferPointer<CChar> {
  fileprivate init(cString: UnsafeMutablePointer<CChar>) {
    var count = 0
    while cString[count] != 0 { count += 1 }
    self.init(start: cString, count: count)
  }
}

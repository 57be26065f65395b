internal import ArgumentParser

/// How progress is shown.
enum ProgressStyle: String, ExpressibleByArgument, CaseIterable {
  case auto, bar, plain, json, none
}

/// The options that say what a run tells.
struct ReportOptions: ParsableArguments {
  @Option(help: "How progress is shown; auto is a bar on a terminal and plain lines elsewhere.")
  var progress = ProgressStyle.auto

  @Flag(name: .shortAndLong, help: "Say nothing but errors.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say what was decided, and which stage the run waited for.")
  var verbose = false

  @Flag(help: "Print what was done as JSON.")
  var json = false

  func validate() throws {
    guard !(quiet && verbose) else {
      throw ValidationError("--quiet and --verbose exclude each other")
    }
  }

  /// The style to use, resolved for where standard error goes.
  var style: ProgressStyle {
    guard progress == .auto else { return progress }
    if quiet { return .none }
    return Console.isTerminal ? .bar : .plain
  }
}

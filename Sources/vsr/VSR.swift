internal import ArgumentParser
internal import Glibc
internal import Pipeline

/// The command `vsr`: its subcommands, and how every run begins and ends.
@main
struct VSR: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vsr",
    abstract: "Makes videos and pictures larger and better by one-step diffusion.",
    discussion: """
      vsr IN OUT upscales with the defaults: four times larger, everything else kept.

      Exit codes: 0 complete; 4 complete, but the input was damaged; 64 wrong usage; 65 input refused or \
      memory too small; 66 input cannot be opened; 69 more damage than --max-error-rate accepts; \
      70 internal error; 73 output cannot be created; 74 reading or writing failed; 78 model refused or \
      missing; 130, 143, 129, 131 ended by a signal.
      """,
    version: Versions.text,
    subcommands: [Upscale.self, Stream.self, Bench.self, Probe.self, Models.self, Doctor.self],
    defaultSubcommand: Upscale.self,
  )

  static func main() {
    StandardStreams.hold()
    Signals.prepareProcess()
    let arguments = RawArguments.normalized
    guard !arguments.isEmpty else { finish(.usage, message: helpMessage()) }
    do {
      try RawArguments.checkNames()
      var command = try parseAsRoot(arguments)
      try command.run()
      finish(.complete)
    } catch {
      finish(after: error)
    }
  }

  private static func finish(after error: any Error) -> Never {
    if let status = ExitStatus(error) {
      finish(status, message: status.line(for: error).map { $0 + suggestion(after: status) })
    }
    guard exitCode(for: error).isSuccess else {
      finish(.usage, message: "vsr: \(reason(for: error)); see \(help(for: error))")
    }
    do {
      try Console.print(fullMessage(for: error))
      finish(.complete)
    } catch {
      finish(after: error)
    }
  }

  // A mistyped subcommand is taken for a file to upscale.
  private static func suggestion(after status: ExitStatus) -> String {
    let names = configuration.subcommands.map { String(describing: $0).lowercased() }
    guard case .inputMissing = status, let word = RawArguments.normalized.first,
      !names.contains(word), let name = word.nearest(in: names)
    else { return "" }
    return "; did you mean 'vsr \(name)'?"
  }

  // Without the full stop that some of the parser's sentences have.
  private static func reason(for error: any Error) -> String {
    let text = message(for: error)
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  // The parser knows which subcommand was meant.
  private static func help(for error: any Error) -> String {
    let match = fullMessage(for: error).firstMatch(of: /See '([^']+)'/)
    return match.map { String($0.output.1) } ?? "vsr --help"
  }

  /// Leaves at once: workers may still be computing a frame that nobody will take.
  private static func finish(_ status: ExitStatus, message: String? = nil) -> Never {
    if let message { Console.say(message) }
    _exit(status.code)
  }
}

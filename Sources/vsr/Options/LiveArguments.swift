public import ArgumentParser
public import Pipeline

/// The options that say how long frames may take, and what happens when they would take longer.
struct LiveArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The longest delay in milliseconds, from the arrival of a frame to its departure.",
      valueName: "ms"
    )
  )
  var maxDelay = 500

  @Option(
    help: ArgumentHelp(
      """
      What happens to frames that would be later: block the input (the default), drop them, resize them \
      without the network, or passthrough: all frames of some seconds without it.
      """
    )
  )
  var onOverload = OverloadPolicy.block

  @Flag(
    help: """
      Go over to a cheaper precision, then to a smaller model, while the network cannot keep up, and back \
      when it can; with --precision auto the best precision comes first.
      """
  )
  var adaptive = false

  func validate() throws {
    guard (1...60_000).contains(maxDelay) else {
      throw ValidationError("--max-delay takes a number from 1 to 60000, not \(maxDelay)")
    }
  }

  var options: LiveOptions {
    LiveOptions(maximumDelay: .milliseconds(maxDelay), overload: onOverload)
  }
}

extension OverloadPolicy: ExpressibleByArgument {}

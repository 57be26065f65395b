internal import ArgumentParser

/// The options that say how an input from the network is reached.
struct NetworkArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Try a connection of the input so often again when it cannot be made or breaks off.",
      valueName: "n"
    )
  )
  var reconnect = 0

  @Flag(help: "Wait for the source of the input to connect: http, rtmp, rtsp, srt, tcp.")
  var listen = false

  func validate() throws {
    guard (0...1000).contains(reconnect) else {
      throw ValidationError("--reconnect takes a number from 0 to 1000, not \(reconnect)")
    }
  }
}

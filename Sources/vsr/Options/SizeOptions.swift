internal import ArgumentParser
internal import Pipeline

/// The options that say how large the output is.
struct SizeOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "How many times larger (default: the most that the model does).",
      valueName: "factor"
    )
  )
  var scale: Double?

  @Option(
    help: ArgumentHelp("The exact size of the output.", valueName: "WxH"),
    transform: SizeArgument.init(_:)
  )
  var size: SizeArgument?

  @Option(help: "Fit into this frame, keeping the aspect.")
  var resolution: ResolutionArgument?

  func validate() throws {
    let given = [scale != nil, size != nil, resolution != nil].count { $0 }
    guard given <= 1 else {
      throw ValidationError("--scale, --size and --resolution exclude each other")
    }
    if let scale, !(0.1...64).contains(scale) {
      throw ValidationError("--scale takes a number from 0.1 to 64, not \(scale)")
    }
  }

  /// The size to ask for with a model that enlarges by `modelScale`.
  func outputSize(modelScale: Int) -> OutputOptions.Size {
    if let size { return .exactly(width: size.width, height: size.height) }
    return resolution?.size ?? .times(scale ?? Double(modelScale))
  }
}

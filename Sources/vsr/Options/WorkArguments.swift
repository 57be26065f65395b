internal import ArgumentParser
internal import Engine
internal import Pipeline

/// The options of runs that may be interrupted.
struct WorkArguments: ParsableArguments {
  @Flag(
    help: """
      Keep what is finished in a work folder, and continue there when the same command is given again \
      after a crash or an interrupt; the folder goes when the output is complete.
      """
  )
  var resume = false

  @Option(
    help: ArgumentHelp(
      "The folder in which the work folder is made (default: the output's).",
      valueName: "folder"
    )
  )
  var workDir: MediaPath?

  func validate() throws {
    guard workDir == nil || resume else { throw ValidationError("--work-dir needs --resume") }
  }

  /// Whether and where a run keeps its work.
  var options: WorkOptions {
    var options = WorkOptions()
    options.isKept = resume
    options.place = workDir
    return options
  }

  /// What decides on the pictures of a run for `output` besides media.
  func facts(
    for output: MediaPath,
    _ engine: EngineOptions,
    _ model: Model,
  ) throws(EngineError) -> [WorkOptions.Fact] {
    // Reading the model again takes a while, and nothing else needs it.
    guard resume || options.isThere(for: output) else { return [] }
    return try engine.facts(model)
  }
}

extension EngineOptions {
  /// Everything that decides on the pictures that the engine makes.
  fileprivate func facts(_ model: Model) throws(EngineError) -> [WorkOptions.Fact] {
    let options = try upscalerOptions(model)
    let latents = try autoencoder.map { (path) throws(EngineError) in
      try WeightStore(fileArgument: path).digest()
    }
    let libraries = Machine.libraries.map { "\($0.name) \($0.version)" }
    return [
      WorkOptions.Fact("vsr", Versions.number),
      WorkOptions.Fact("libraries", libraries.joined(separator: ", ")),
      WorkOptions.Fact("kernels for", Machine.kernelLevel),
      WorkOptions.Fact("model", try WeightStore(modelArgument: model.name).digest()),
      WorkOptions.Fact("autoencoder", latents ?? "none"),
      WorkOptions.Fact("backend", "\(options.backend.name) \(options.backend.precision)"),
      WorkOptions.Fact("tiles", "\(tile.tiling) \(tiles.rawValue)"),
      WorkOptions.Fact("noise", "\(noise.rawValue) \(options.seed)"),
      // The tiles are chosen by them.
      WorkOptions.Fact("threads", "\(options.workers)"),
      WorkOptions.Fact("memory", "\(options.memory.map(\.mebibytes) ?? "any")"),
    ]
  }
}

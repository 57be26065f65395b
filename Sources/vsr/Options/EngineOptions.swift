internal import ArgumentParser
internal import Engine

/// The options that choose the model and how it runs.
struct EngineOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help:
      "A bundled model (\(Model.bundledNames.joined(separator: ", "))) or a .safetensors or .pth file."
  )
  var model = "fast"

  @Option(help: "The library that runs the network.")
  var backend = BackendArgument.auto

  @Option(help: "What the network's convolutions multiply: fp32, or bf16, which oneDNN alone has.")
  var precision = PrecisionArgument.fp32

  @Option(
    help: ArgumentHelp("The autoencoder's file, for TAD-SR in two files.", valueName: "file")
  )
  var autoencoder: String?

  @Option(help: ArgumentHelp("Worker threads (default: one per CPU).", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp("The side of a tile in input pixels, auto, or 0 for none.", valueName: "n")
  )
  var tile = TileArgument.automatic

  @Option(help: ArgumentHelp("The seed of the noise that the network starts from.", valueName: "n"))
  var seed: UInt64 = 0

  func validate() throws {
    if backend == .openblas, precision == .bf16 {
      throw ValidationError("--precision bf16 needs --backend onednn")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 1024, not \(threads)")
    }
  }

  var upscalerOptions: Upscaler.Options {
    var options = Upscaler.Options()
    options.backend = backend.backend(precision.precision)
    options.workers = threads ?? Machine.processorCount
    options.tiling = tile.tiling
    options.seed = seed
    return options
  }
}

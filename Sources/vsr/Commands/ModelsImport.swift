internal import ArgumentParser
internal import Engine
internal import Pipeline

/// `vsr models import`: a model of another program as a safetensors file with a card.
struct ModelsImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Write a .pth or .safetensors model as .safetensors with a model card.",
    discussion: """
      The card holds the network, its scale, the name of the source and its SHA-256, beside what the \
      source says about itself.
      """,
  )

  @Argument(help: ArgumentHelp("The model to import.", valueName: "file"))
  var file: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The output (default: the file's name with .safetensors).",
      valueName: "file"
    )
  )
  var output: MediaPath?

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing output.")
  var overwrite = false

  func run() throws {
    let cancellation = Cancellation()
    Signals.onEnding { cancellation.request(signal: $0) }
    // A slash makes it a path, whatever its name looks like.
    let path = file.contains("/") ? file : "./\(file)"
    let output = try outputPath()
    let store = try WeightStore(path: path)
    let report = try ModelReport(named: path, store)
    let model = try Model(named: path, store)
    let result = SafetensorsFile(store, metadata: card(model, report))
    try WholeFile.write(
      output,
      source: MediaPath(path),
      overwrite: overwrite,
      cancellation: cancellation
    ) { write in
      try result.forEachPiece { try write($0) }
    }
    Console.say("vsr: wrote \(output.quoted): \(model.networkName) ×\(model.scale)")
  }

  private func outputPath() throws -> MediaPath {
    let path = output ?? MediaPath(stem + ".safetensors")
    guard path.pathExtension == "safetensors" else {
      throw ValidationError(
        "the output's name must end in .safetensors, as in: -o model.safetensors"
      )
    }
    return path
  }

  /// The file's path without the extension of its name.
  private var stem: String {
    let name = file.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return file }
    return String(file[..<dot])
  }

  // What the source says about itself comes first: a card that was made before stays true.
  private func card(_ model: Model, _ report: ModelReport) -> [String: String] {
    let made = [
      "network": model.networkName,
      "scale": "\(model.scale)",
      "source": String(file.split(separator: "/").last ?? ""),
      "source_sha256": report.sha256,
    ]
    return model.card.merging(made) { said, _ in said }
  }
}

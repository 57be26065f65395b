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
    help: ArgumentHelp(
      "The autoencoder's file, for TAD-SR in two files; the output holds both.",
      valueName: "file"
    )
  )
  var autoencoder: String?

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
    Signals.onEnding(cancellation)
    let (source, output) = (source, try outputPath())
    let store = try WeightStore(path: source.text, bytes: source.bytes)
    let latents = try autoencoder.map { try WeightStore(fileArgument: $0) }
    let report = try ModelReport(named: source.text, store, autoencoder: latents)
    let model = try Model(named: source.text, store, autoencoder: latents)
    let stores = [store] + (latents.map { [$0] } ?? [])
    let result = try SafetensorsFile(
      stores,
      metadata: report.card(model, file: file, autoencoder: autoencoder),
    )
    try WholeFile.write(
      output,
      source: source,
      neverReplaced: autoencoder.map { [RawArguments.path($0)] } ?? [],
      overwrite: overwrite,
      cancellation: cancellation
    ) { write in
      try result.forEachPiece { try write($0) }
    }
    Console.say("vsr: wrote \(output.quoted): \(model.networkName) ×\(model.scale)")
  }

  private func outputPath() throws -> MediaPath {
    let path = output ?? MediaPath(bytes: stem + ".safetensors".utf8CString)
    try path.checkNamesModel()
    return path
  }

  /// The file's path; a slash makes it one, whatever its name looks like.
  private var source: MediaPath {
    let path = RawArguments.path(file)
    return file.contains("/") ? path : MediaPath(bytes: "./".utf8CString.dropLast() + path.bytes)
  }

  /// The bytes of the file's path without the extension of its name.
  private var stem: [CChar] {
    let bytes = RawArguments.path(file).bytes.dropLast()
    let name = bytes.lastIndex(of: CChar(UInt8(ascii: "/"))).map { $0 + 1 } ?? 0
    guard let dot = bytes.lastIndex(of: CChar(UInt8(ascii: "."))), dot > name else {
      return Array(bytes)
    }
    return Array(bytes[..<dot])
  }
}

extension ModelReport {
  /// The metadata of a file that is made of a model's files: the network, its scale, and where it comes
  /// from.
  ///
  /// What the source says about itself comes first: a card that was made before stays true.
  func card(_ model: Model, file: String, autoencoder: String? = nil) -> [String: String] {
    var made = [
      "network": model.networkName,
      "scale": "\(model.scale)",
      "source": String(file.split(separator: "/").last ?? ""),
      "source_sha256": sha256,
    ]
    if let autoencoder, let digest = autoencoderSHA256 {
      made["autoencoder"] = String(autoencoder.split(separator: "/").last ?? "")
      made["autoencoder_sha256"] = digest
    }
    return model.card.merging(made) { said, _ in said }
  }
}

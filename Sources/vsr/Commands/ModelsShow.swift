internal import ArgumentParser
internal import Engine
internal import Pipeline

/// `vsr models show`: what is in a model file.
struct ModelsShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what is in a model: network, size, cost, metadata and digest.",
  )

  @Argument(help: ArgumentHelp("A bundled model or a file.", valueName: "name|file"))
  var model: String

  @Option(
    help: ArgumentHelp("The autoencoder's file, for TAD-SR in two files.", valueName: "file")
  )
  var autoencoder: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    Signals.exitOnEnding()
    let latents = try autoencoder.map { try WeightStore(fileArgument: $0) }
    let store = try WeightStore(modelArgument: model)
    let report = try ModelReport(named: model, store, autoencoder: latents)
    try Console.print(json ? report.json : report.lines.joined(separator: "\n"))
  }
}

extension ModelReport {
  fileprivate var lines: [String] {
    let rows: [(String, String?)] = [
      ("name", name.printable),
      ("good for", summary),
      ("network", network ?? "unknown here; the file can be read, but not run"),
      ("scale", scale.map { "×\($0)" }),
      ("parameters", "\(parameters) in \(tensors) tensors"),
      (
        "cost",
        multiplyAddsPerPixel.map { "\((Double($0) / 1e6).formatted(3)) MMAC per input pixel" }
      ),
      ("halo", halo.map { "\($0) input pixels" }),
      ("sha256", sha256),
      ("autoencoder", autoencoderSHA256.map { "sha256 \($0)" }),
    ]
    let known = rows.compactMap { row in row.1.map { (row.0, $0) } }
    let strings = metadata.sorted { $0.key < $1.key }.map { ("  " + $0.key.printable, $0.value) }
    return known.map(line) + (strings.isEmpty ? [] : ["metadata"]) + strings.map(line)
  }

  private func line(_ name: String, _ text: String) -> String {
    name + String(repeating: " ", count: max(1, 18 - name.count)) + text.printable
  }
}

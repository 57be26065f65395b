internal import ArgumentParser
internal import Engine
internal import Pipeline
internal import FoundationEssentials

/// `vsr models list`: the bundled models, and the files of a folder.
struct ModelsList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the bundled models and the .safetensors and .pth files of a folder.",
  )

  @Option(help: ArgumentHelp("A folder with more models.", valueName: "folder"))
  var modelDir: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    Signals.exitOnEnding()
    let entries = try (BundledModel.all.map(\.name) + files()).map { try Entry(name: $0) }
    try Console.print(json ? entries.json : entries.map(\.line).joined(separator: "\n"))
  }

  private func files() throws -> [String] {
    guard let modelDir else { return [] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: modelDir) else {
      throw ValidationError("--model-dir '\(modelDir.printable)' is no folder that can be read")
    }
    return names.filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".pth") }.sorted()
      .map { modelDir.hasSuffix("/") ? modelDir + $0 : "\(modelDir)/\($0)" }
  }

  /// A model in the list, or why a file is none.
  private struct Entry: Encodable {
    let name: String
    var report: ModelReport?
    var error: String?

    init(name: String) throws {
      self.name = name
      do throws(EngineError) {
        report = try ModelReport(named: name)
      } catch {
        self.error = "\(error)"
      }
    }

    var line: String {
      let name = name.printable
      // As wide as bundled names are.
      let space = String(repeating: " ", count: max(2, 10 - name.count))
      return name + space + (report?.line ?? (error ?? "").printable)
    }
  }
}

extension ModelReport {
  /// What there is to know before choosing it.
  fileprivate var line: String {
    let scale = scale.map { " ×\($0)" } ?? ""
    let mmac = multiplyAddsPerPixel.map { (Double($0) / 1e6).formatted(3) }
    let cost = mmac.map { ", \($0) MMAC per input pixel" } ?? ""
    let uses = summary.map { ": \($0)" } ?? ""
    return "\(network ?? "network unknown here")\(scale), \(parameters) parameters\(cost)\(uses)"
  }
}

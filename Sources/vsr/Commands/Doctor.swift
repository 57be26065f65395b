internal import ArgumentParser
internal import Engine
internal import Pipeline

/// `vsr doctor`: what this machine offers, and what is missing.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what this machine offers: processor, libraries, codecs, models."
  )

  func run() throws {
    Signals.exitOnEnding()
    Console.print("vsr \(Versions.number)")
    Console.print("\nprocessor")
    row("available", "\(Machine.processorCount)")
    row("kernels", Machine.kernelLevel)
    row("convolutions", Machine.convolutionKernel)
    Console.print("\nlibraries")
    for library in MediaLibraries.versions + Machine.libraries {
      row(library.name, library.version)
    }
    Console.print("\nencoders")
    for encoder in MediaLibraries.encoders {
      row(encoder.name, encoder.isAvailable ? "yes" : "missing: this FFmpeg was built without it")
    }
    Console.print("\nmodels")
    for name in Model.bundledNames { row(name, try description(of: Model(named: name))) }
  }

  private func row(_ name: String, _ text: String) {
    Console.print("  " + name + String(repeating: " ", count: max(1, 14 - name.count)) + text)
  }

  private func description(of model: Model) -> String {
    let mmac = (Double(model.cost.multiplyAddsPerPixel) / 1e6).formatted(2)
    return "×\(model.scale), \(mmac) MMAC per input pixel"
  }
}

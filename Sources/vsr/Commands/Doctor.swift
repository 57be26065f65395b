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
    try Console.print("vsr \(Versions.number)")
    try Console.print("\nprocessor")
    try row("available", "\(Machine.processorCount)")
    try row("kernels", Machine.kernelLevel)
    try row("convolutions", Machine.convolutionKernel)
    for precision in [Precision.bfloat16, .int8] {
      try row(precision.argument, description(of: precision))
    }
    try Console.print("\nlibraries")
    for library in MediaLibraries.versions + Machine.libraries {
      try row(library.name, library.version)
    }
    try Console.print("\nencoders")
    for encoder in MediaLibraries.encoders {
      try row(
        encoder.name,
        encoder.isAvailable ? "yes" : "missing: this FFmpeg was built without it"
      )
    }
    try Console.print("\nmodels")
    for model in BundledModel.all {
      try row(model.name, description(of: Model(named: model.name)))
    }
  }

  private func description(of precision: Precision) -> String {
    guard precision.isPossible else { return "not on this processor" }
    return precision.isAccelerated ? "yes" : "no fast instructions for it"
  }

  private func row(_ name: String, _ text: String) throws {
    try Console.print("  " + name + String(repeating: " ", count: max(1, 14 - name.count)) + text)
  }

  private func description(of model: Model) -> String {
    let mmac = (Double(model.cost.multiplyAddsPerPixel) / 1e6).formatted(2)
    return "×\(model.scale), \(mmac) MMAC per input pixel"
  }
}

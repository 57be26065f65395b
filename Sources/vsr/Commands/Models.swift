internal import ArgumentParser

/// `vsr models`: which there are, what is in one, and files of other programs made ours.
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, show, import and quantize models.",
    subcommands: [ModelsList.self, ModelsShow.self, ModelsImport.self, ModelsQuantize.self],
  )
}

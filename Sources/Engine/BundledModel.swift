internal import EngineC

/// A model inside the library, as the table of them in `bundled.c` has it.
public struct BundledModel {
  /// The name of its weights, which is that of its folder.
  public let name: String

  /// The name of those that do the same and differ in their scale.
  public let family: String

  /// What it is good for, in some words.
  public let summary: String

  let bytes: UnsafeRawBufferPointer

  /// All of them, as the table has them.
  public static var all: [BundledModel] {
    var count = 0
    let table = UnsafeBufferPointer(start: enginec_bundled_models(&count), count: count)
    return table.map { BundledModel($0) }
  }

  /// The names of all families, the default one first.
  public static var families: [String] {
    all.map(\.family).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The model of a name.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when there is none.
  init(named name: String) throws(EngineError) {
    guard let model = BundledModel.all.first(where: { $0.name == name }) else {
      let known = BundledModel.all.map(\.name).joined(separator: ", ")
      throw .model(
        subject: "'\(name)'",
        reason:
          "there is no such model; bundled are: \(known); a file is given by its path, as in ./name.safetensors",
      )
    }
    self = model
  }

  private init(_ entry: enginec_bundled_model) {
    name = String(cString: entry.name)
    family = String(cString: entry.family)
    summary = String(cString: entry.summary)
    bytes = UnsafeRawBufferPointer(start: entry.bytes, count: entry.byte_count)
  }
}

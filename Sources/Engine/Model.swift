internal import EngineC

/// A trained super-resolution model: its network with weights, and what its card says.
public struct Model: Sendable {
  /// The names of the models inside the library.
  public static let bundledNames = ["fast"]

  private static let fileSuffixes = [".safetensors", ".pth", ".pt"]

  /// What the user calls it: a bundled name or a path.
  public let name: String

  /// The file that it was read from; nil when it is bundled.
  public let path: String?

  /// The name of its network, such as `compact`.
  public let networkName: String

  /// How many times larger the output is.
  public var scale: Int { network.scale }

  /// The strings in the file that describe it, such as network, data and method.
  public let card: [String: String]

  let network: any Network

  /// Loads a bundled model by name, or a file by path: safetensors, or what `torch.save` wrote.
  ///
  /// A name with a slash or ending in `.safetensors`, `.pth` or `.pt` is a path.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(named name: String) throws(EngineError) {
    let isPath = name.contains("/") || Model.fileSuffixes.contains { name.hasSuffix($0) }
    let store = try isPath ? WeightStore(path: name) : Model.bundled(name)
    self.name = name
    path = isPath ? name : nil
    card = store.metadata
    let known = try KnownNetwork.entry(for: store)
    networkName = known.name
    network = try known.make(store)
  }

  /// Multiplications with addition per low-resolution pixel, and the receptive radius in such pixels.
  public var cost: (multiplyAddsPerPixel: Int, halo: Int) {
    // Large enough for any network's down-sampling levels, small enough to be free.
    let graph = network.graph(height: 64, width: 64)
    return (graph.multiplyAddCount / (64 * 64), graph.halo)
  }

  private static func bundled(_ name: String) throws(EngineError) -> WeightStore {
    var byteCount = 0
    guard let bytes = enginec_bundled_model(name, &byteCount) else {
      let known = bundledNames.joined(separator: ", ")
      throw .model(
        subject: "'\(name)'",
        reason:
          "there is no such model; bundled are: \(known); a file is given by its path, as in ./name.safetensors",
      )
    }
    return try WeightStore(
      staticBytes: UnsafeRawBufferPointer(start: bytes, count: byteCount),
      subject: "'\(name)' (bundled)",
    )
  }
}

internal import EngineC

/// A trained super-resolution model: its network with weights, and what its card says.
public struct Model: Sendable {
  /// The names of the models inside the library.
  public static let bundledNames = ["fast"]

  /// What the user calls it: a bundled name or a path.
  public let name: String

  /// How many times larger the output is.
  public var scale: Int { network.scale }

  /// The strings in the file that describe it, such as network, data and method.
  public let card: [String: String]

  let network: any Network

  /// Loads a bundled model by name, or a safetensors file by path.
  ///
  /// A name with a slash or ending in `.safetensors` is a path. The published networks are recognised
  /// by the names of their tensors, others by what their metadata says.
  ///
  /// - Parameters:
  ///   - name: The name or path.
  ///   - autoencoder: The path of the autoencoder for TAD-SR; nil when the model's file holds it too.
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(named name: String, autoencoder: String? = nil) throws(EngineError) {
    let isPath = name.contains("/") || name.hasSuffix(".safetensors")
    let store = isPath ? try WeightStore(path: name) : try Model.bundled(name)
    self.name = name
    card = store.metadata
    network = try Model.network(store, autoencoder: autoencoder)
  }

  init(name: String, network: any Network) {
    self.name = name
    self.network = network
    card = [:]
  }

  private static func network(
    _ store: WeightStore,
    autoencoder: String?,
  ) throws(EngineError) -> any Network {
    if CTMSR.recognizes(store) { return try CTMSR(store) }
    if TADSR.recognizes(store) {
      let latents = try autoencoder.map { (path) throws(EngineError) in try WeightStore(path: path)
      }
      return try TADSR(unet: store, autoencoder: latents ?? store)
    }
    switch store.metadata["network"] {
    case "compact": return try CompactNetwork(store)
    case let kind?: throw store.failure("its network '\(kind)' is unknown here")
    case nil: throw store.failure("its metadata does not name a network")
    }
  }

  /// Multiplications with addition per low-resolution pixel, and the receptive radius in such pixels, nil
  /// when the network looks everywhere.
  public var cost: (multiplyAddsPerPixel: Int, halo: Int?) {
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

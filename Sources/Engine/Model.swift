/// A trained super-resolution model: its network with weights, and what its card says.
public struct Model: Sendable {
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
  /// A name with a slash or ending in `.safetensors`, `.pth` or `.pt` is a path. The published networks are
  /// recognised by the names of their tensors, others by what their metadata says.
  ///
  /// - Parameters:
  ///   - name: The name or path.
  ///   - autoencoder: The path of the autoencoder for TAD-SR; nil when the model's file holds it too.
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(named name: String, autoencoder: String? = nil) throws(EngineError) {
    let latents = try autoencoder.map { (path) throws(EngineError) in try WeightStore(path: path) }
    try self.init(named: name, WeightStore(modelNamed: name), autoencoder: latents)
  }

  /// A model without a file, for tests.
  init(name: String, network: any Network) {
    self.name = name
    self.network = network
    networkName = name
    path = nil
    card = [:]
  }

  /// Builds the network of a file that is already open.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(
    named name: String,
    _ store: WeightStore,
    autoencoder: WeightStore? = nil,
  ) throws(EngineError) {
    let known = try KnownNetwork.entry(for: store)
    guard autoencoder == nil || known.hasAutoencoder else {
      throw store.failure("its network \(known.name) takes no autoencoder; leave that file out")
    }
    self.name = name
    path = Model.isPath(name) ? name : nil
    card = store.metadata
    networkName = known.name
    network = try store.quantized(known.make(store, autoencoder ?? store))
  }

  private init(_ model: Model, network: any Network) {
    name = model.name
    path = model.path
    networkName = model.networkName
    card = model.card
    self.network = network
  }

  /// The same model with another network.
  func with(_ network: any Network) -> Model { Model(self, network: network) }

  /// Whether it has factors for ``Precision/int8``.
  public var hasIntegerFactors: Bool { network is QuantizedNetwork }

  /// How much lower its PSNR is in 8 bits than in single precision, in dB, as its card says.
  public var integerLoss: Double? { card["int8_loss_db"].flatMap { Double($0) } }

  /// The fastest precision on this CPU that costs less than 0.1 dB.
  ///
  /// For 8 bits that is what the card says; bfloat16 is taken without: tests hold it to
  /// 40 dB of single precision.
  public var fastestPrecision: Precision {
    if Precision.int8.isAccelerated, hasIntegerFactors, let integerLoss, integerLoss < 0.1 {
      return .int8
    }
    return Precision.bfloat16.isAccelerated ? .bfloat16 : .float32
  }

  /// Multiplications with addition per low-resolution pixel, and the receptive radius in such pixels, nil
  /// when the network looks everywhere.
  public var cost: (multiplyAddsPerPixel: Int, halo: Int?) {
    // Large enough for any network's down-sampling levels, small enough to be free.
    let graph = network.graph(height: 64, width: 64)
    return (graph.multiplyAddCount / (64 * 64), graph.halo)
  }

  /// Whether the picture depends on noise that the network starts from.
  public var startsFromNoise: Bool { network.graph(height: 64, width: 64).inputs.count > 1 }

  /// How many pixels of the input a tile gets around it; nil when tiles overlap and are blended.
  public var halo: Int? {
    guard case .halo(_, let limit) = network.tileRule else { return nil }
    return min(cost.halo ?? 0, limit ?? .max)
  }

  private static let fileSuffixes = [".safetensors", ".pth", ".pt"]

  fileprivate static func isPath(_ name: String) -> Bool {
    name.contains("/") || fileSuffixes.contains { name.hasSuffix($0) }
  }
}

extension WeightStore {
  /// Reads the file of a model, by its bundled name or its path.
  ///
  /// - Parameters:
  ///   - name: The name or path, as for ``Model/init(named:autoencoder:)``.
  ///   - bytes: The path as the system knows it, ending in zero; nil where it is the name's text.
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(modelNamed name: String, bytes: [CChar]? = nil) throws(EngineError) {
    guard Model.isPath(name) else {
      try self.init(bundled: name)
      return
    }
    try self.init(path: name, bytes: bytes ?? Array(name.utf8CString))
  }

  private init(bundled name: String) throws(EngineError) {
    let model = try BundledModel(named: name)
    try self.init(staticBytes: model.bytes, subject: "'\(name)' (bundled)")
  }
}

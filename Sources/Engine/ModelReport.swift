/// What there is to say about a model file without running it.
public struct ModelReport: Sendable, Encodable {
  /// What the user calls the file.
  public let name: String

  /// What it is good for, in some words; nil when it is not bundled.
  public let summary: String?

  /// The name of the network; nil when it is none that we can build.
  public let network: String?

  /// How many times larger the output is.
  public let scale: Int?

  /// The number of weights in the files.
  public let parameters: Int

  /// The number of tensors in the files.
  public let tensors: Int

  /// Multiplications with addition per pixel of the input.
  public let multiplyAddsPerPixel: Int?

  /// How many pixels of the input a tile gets around it.
  public let halo: Int?

  /// The strings in the file that describe it.
  public let metadata: [String: String]

  /// The digest of the file.
  public let sha256: String

  /// The digest of the autoencoder's file, where that is another one.
  public let autoencoderSHA256: String?

  /// Reads the file of a model, by its bundled name or its path, and the file of its autoencoder.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when a file is malformed, or when its network is
  ///   known and the tensors do not fit it.
  public init(named name: String, autoencoder: String? = nil) throws(EngineError) {
    let latents = try autoencoder.map { (path) throws(EngineError) in try WeightStore(path: path) }
    try self.init(named: name, WeightStore(modelNamed: name), autoencoder: latents)
  }

  /// Reports on files that are already open.
  public init(
    named name: String,
    _ store: WeightStore,
    autoencoder: WeightStore? = nil,
  ) throws(EngineError) {
    let isKnown = (try? KnownNetwork.entry(for: store)) != nil
    let model = isKnown ? try Model(named: name, store, autoencoder: autoencoder) : nil
    let stores = [store] + (autoencoder.map { [$0] } ?? [])
    self.name = name
    summary = BundledModel.all.first { $0.name == name }?.summary
    network = model?.networkName
    scale = model?.scale
    parameters = stores.reduce(0) { $0 + $1.parameterCount }
    tensors = stores.reduce(0) { $0 + $1.names.count }
    multiplyAddsPerPixel = model?.cost.multiplyAddsPerPixel
    halo = model?.halo
    metadata = store.metadata
    sha256 = try store.digest()
    autoencoderSHA256 = try autoencoder?.digest()
  }
}

/// A network that we can build, and how it is recognised.
///
/// A file's card names its network; a file without a card, such as a `.pth` of the network's authors, is
/// recognised by the names of its tensors.
struct KnownNetwork {
  /// The name in a card and in reports.
  let name: String

  /// Whether a file without a card is of this network, by the names and sizes of its tensors.
  ///
  /// Never for a network that only a card can describe.
  var recognizes: @Sendable (WeightStore) -> Bool = { _ in false }

  /// Whether its pictures pass through an autoencoder, which may have a file of its own.
  var hasAutoencoder = false

  /// Reads the network from the file's tensors.
  ///
  /// The second file is the one of the autoencoder, for networks that have one; it may be the same.
  let make: @Sendable (WeightStore, WeightStore) throws(EngineError) -> any Network

  /// The first entry that recognises a file wins.
  static let all = [
    KnownNetwork(name: "compact") { (store, _) throws(EngineError) in try CompactNetwork(store) },
    KnownNetwork(name: "ctmsr", recognizes: CTMSR.recognizes) {
      (store, _) throws(EngineError) in try CTMSR(store)
    },
    KnownNetwork(name: "tadsr", recognizes: TADSR.recognizes, hasAutoencoder: true) {
      (store, autoencoder) throws(EngineError) in try TADSR(unet: store, autoencoder: autoencoder)
    },
    KnownNetwork(name: "srvgg", recognizes: SRVGGNetwork.recognizes) {
      (store, _) throws(EngineError) in try SRVGGNetwork(store)
    },
    KnownNetwork(name: "rrdb", recognizes: RRDBNetwork.recognizes) {
      (store, _) throws(EngineError) in try RRDBNetwork(store)
    },
    KnownNetwork(name: "span", recognizes: SPANNetwork.recognizes) {
      (store, _) throws(EngineError) in try SPANNetwork(store)
    },
  ]

  /// The entry for a file.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when the file is of no known network.
  static func entry(for store: WeightStore) throws(EngineError) -> KnownNetwork {
    let names = all.map(\.name).joined(separator: ", ")
    if let name = store.metadata["network"] {
      guard let entry = all.first(where: { $0.name == name }) else {
        let name = escaped(Array(name.utf8))
        throw store.failure("its network \(name) is unknown here; known are: \(names)")
      }
      return entry
    }
    guard let entry = all.first(where: { $0.recognizes(store) }) else {
      throw store.failure("it is of no network known here; known are: \(names)")
    }
    return entry
  }
}

extension WeightStore {
  /// Whether there is a tensor of each name.
  func containsAll(_ names: [String]) -> Bool { names.allSatisfy { contains($0) } }
}

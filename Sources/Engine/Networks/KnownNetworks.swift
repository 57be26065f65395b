/// A network that we can build, and how it is recognised.
///
/// A file's card names its network; a file without a card, such as a `.pth` of the network's authors, is
/// recognised by the names of its tensors. The first entry that recognises it wins.
struct KnownNetwork {
  /// The name in a card and in reports.
  let name: String

  /// Tensors that together no other network has.
  ///
  /// Empty for a network that only a card can describe.
  let signature: [String]

  /// Reads the network from the file's tensors.
  let make: @Sendable (WeightStore) throws(EngineError) -> any Network

  static let all = [
    KnownNetwork(name: "compact", signature: []) { (store) throws(EngineError) in
      try CompactNetwork(store)
    }
  ]

  /// The entry for a file.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when the file is of no known network.
  static func entry(for store: WeightStore) throws(EngineError) -> KnownNetwork {
    let names = all.map(\.name).joined(separator: ", ")
    if let name = store.metadata["network"] {
      guard let entry = all.first(where: { $0.name == name }) else {
        throw store.failure("its network '\(name)' is unknown here; known are: \(names)")
      }
      return entry
    }
    guard let entry = all.first(where: { $0.recognises(store) }) else {
      throw store.failure("it is of no network known here; known are: \(names)")
    }
    return entry
  }

  private func recognises(_ store: WeightStore) -> Bool {
    !signature.isEmpty && signature.allSatisfy { store.contains($0) }
  }
}

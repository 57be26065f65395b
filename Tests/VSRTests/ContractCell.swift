/// What became of one thing that a clip has.
enum ContractCell {
  /// It was compared and is the same; the text says more about it.
  case kept(String)

  /// The clip has no such thing.
  case absent(String)

  /// It could not be kept, and the program said so.
  case said(String)

  /// It is not what the contract promises.
  case broken(String)

  /// Several things in one cell; the worst decides.
  init(joining cells: [ContractCell], none: String) {
    let texts = cells.map(\.detail).filter { !$0.isEmpty }.joined(separator: ", ")
    if cells.isEmpty {
      self = .absent(none)
    } else if cells.contains(where: \.isBroken) {
      self = .broken(texts)
    } else if cells.contains(where: \.isSaid) {
      self = .said(texts)
    } else {
      self = .kept(texts)
    }
  }

  var isBroken: Bool {
    if case .broken = self { true } else { false }
  }

  private var isSaid: Bool {
    if case .said = self { true } else { false }
  }

  private var detail: String {
    switch self {
    case .kept(let text), .absent(let text), .said(let text), .broken(let text): text
    }
  }

  /// The cell as the table shows it.
  var text: String {
    switch self {
    case .kept(let text): text.isEmpty ? "✓" : "✓ \(text)"
    case .absent(let text): "– \(text)"
    case .said(let text): "said: \(text)"
    case .broken(let text): "✗ \(text)"
    }
  }
}

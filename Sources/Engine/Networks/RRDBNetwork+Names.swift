extension RRDBNetwork {
  /// What the layers are called: the same network was published under three sets of names.
  enum Names: CaseIterable {
    /// Real-ESRGAN and BasicSR.
    case current

    /// ESRGAN's second version.
    case trunk

    /// ESRGAN's first version, where numbers count the layers of nested sequences.
    case numbered

    /// The names in a file; nil when it is of another network.
    init?(of store: WeightStore) {
      guard let names = Names.allCases.first(where: { store.containsAll($0.signature) }) else {
        return nil
      }
      self = names
    }

    private var signature: [String] {
      [first, layer(0, dense: 1, layer: 1), layer(0, dense: 3, layer: 5)].map { $0 + ".weight" }
    }

    var first: String { self == .numbered ? "model.0" : "conv_first" }

    func layer(_ block: Int, dense: Int, layer: Int) -> String {
      switch self {
      case .current: "body.\(block).rdb\(dense).conv\(layer)"
      case .trunk: "RRDB_trunk.\(block).RDB\(dense).conv\(layer)"
      case .numbered: "model.1.sub.\(block).RDB\(dense).conv\(layer).0"
      }
    }

    func trunk(_ blockCount: Int) -> String {
      switch self {
      case .current: "conv_body"
      case .trunk: "trunk_conv"
      case .numbered: "model.1.sub.\(blockCount)"
      }
    }

    func enlargement(_ index: Int) -> String {
      switch self {
      case .current: "conv_up\(index + 1)"
      case .trunk: "upconv\(index + 1)"
      case .numbered: "model.\(3 + 3 * index)"
      }
    }

    func high(_ enlargements: Int) -> String {
      switch self {
      case .current: "conv_hr"
      case .trunk: "HRconv"
      case .numbered: "model.\(2 + 3 * enlargements)"
      }
    }

    func last(_ enlargements: Int) -> String {
      self == .numbered ? "model.\(4 + 3 * enlargements)" : "conv_last"
    }
  }
}

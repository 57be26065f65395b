/// A super-resolution network: weights, and how they become a graph.
public protocol Network: Sendable {
  /// How many times larger the output is.
  var scale: Int { get }

  /// How pictures may be cut for this network.
  var tileRule: TileRule { get }

  /// The network for a picture of this size.
  ///
  /// The graph's first input is the low-resolution picture, RGB in −1…1; a second one, if any, is
  /// standard normal noise with three channels, a whole number of times as large as the picture. The
  /// output is the picture, RGB in −1…1.
  func graph(height: Int, width: Int) -> Graph
}

extension Network {
  /// Cuts anywhere, with the receptive radius as halo.
  public var tileRule: TileRule { .halo(alignment: 1, limit: nil) }
}

extension Network {
  /// The network for a window of a frame; its output goes to its place row by row unless tiles are blended.
  func windowGraph(height: Int, width: Int) -> Graph {
    var graph = graph(height: height, width: width)
    if case .halo = tileRule { graph.isHandedOver = true }
    return graph
  }
}

/// A super-resolution network: weights, and how they become a graph.
public protocol Network: Sendable {
  /// How many times larger the output is.
  var scale: Int { get }

  /// Height and width of the picture, and the place of a tile in it, are multiples of this.
  var alignment: Int { get }

  /// The largest halo that tiles get, in pixels of the picture; nil for as far as the network looks.
  ///
  /// Very deep networks see far in principle and little in practice; halos of their receptive field would
  /// cost many times the picture.
  var haloLimit: Int? { get }

  /// The network for a picture of this size.
  ///
  /// The graph's first input is the low-resolution picture, RGB in −1…1; a second one, if any, is
  /// standard normal noise of the output's size. The output is the picture, RGB in −1…1.
  func graph(height: Int, width: Int) -> Graph
}

extension Network {
  /// 1: any size will do.
  public var alignment: Int { 1 }

  /// None: tiles cannot be seen.
  public var haloLimit: Int? { nil }
}

/// How pictures may be cut for a network.
public enum TileRule: Hashable, Sendable {
  /// Tiles are computed with their surroundings as far as the network looks; cuts cannot be seen.
  ///
  /// The sides of windows and where they begin are multiples of `alignment`; the picture is continued by
  /// reflection. Very deep networks see far in principle and little in practice; `limit` is the largest
  /// halo in pixels for which it is worth to pay.
  case halo(alignment: Int, limit: Int?)

  /// The network looks everywhere, so tiles overlap and are blended. Their sides are multiples of
  /// `alignment`; smaller pictures are continued by reflection.
  ///
  /// `padsPicture` says what the network's authors do with a large picture whose sides are no multiples:
  /// continue it and then cut, or cut it and then continue the tiles.
  /// `clampsTiles` says whether tiles are clamped to −1…1 before they are blended, as whole pictures are.
  case overlap(alignment: Int, padsPicture: Bool, clampsTiles: Bool = false)

  /// What the sides of a window, in pixels, are multiples of.
  var alignment: Int {
    switch self {
    case .halo(let alignment, _), .overlap(let alignment, _, _): alignment
    }
  }
}

/// A rectangle of pixels.
public struct PixelRect: Hashable, Sendable {
  /// The first column.
  public var x: Int

  /// The first row.
  public var y: Int

  /// Columns.
  public var width: Int

  /// Rows.
  public var height: Int

  func scaled(by scale: Int) -> PixelRect {
    PixelRect(x: x * scale, y: y * scale, width: width * scale, height: height * scale)
  }
}

/// How a picture is cut into tiles that can be worked on one by one.
///
/// Each tile contributes a core and is computed from a window around it. All windows have one size, so
/// that one program serves them all. Cores either tile the picture, so that every pixel belongs to
/// exactly one, or overlap and are blended.
public struct TilePlan: Sendable {
  /// A tile in pixels of the low-resolution picture.
  public struct Tile: Hashable, Sendable {
    /// The pixels that this tile contributes.
    public let core: PixelRect

    /// The pixels that it is computed from; contains the core, and may reach beyond the right and
    /// lower edges of the picture, which is then continued by reflection.
    public let window: PixelRect

    /// How much the tile counts at each pixel of its core; nil for everything.
    let blend: Blend?

    /// The rows of the window that are the core.
    var coreRows: Range<Int> { (core.y - window.y)..<(core.y - window.y + core.height) }
  }

  /// The part of a tile in the result.
  ///
  /// At each output sample it is the product of the column's and the row's share, and over all tiles
  /// the parts sum to 1.
  struct Blend: Hashable, Sendable {
    let columns: [Float]
    let rows: [Float]
  }

  /// The tiles, rows first.
  public let tiles: [Tile]

  /// Which rows of their windows are the tiles' cores, each once.
  var cores: [Range<Int>] { Array(Set(tiles.map(\.coreRows))) }

  /// The columns of every window.
  public let windowWidth: Int

  /// The rows of every window.
  public let windowHeight: Int

  /// Cuts a picture into cores that do not overlap, with a halo around each as far as the picture
  /// reaches.
  ///
  /// At the picture's edges the window is moved inwards. Where a network takes blocks of pixels, windows
  /// begin and end between blocks.
  ///
  /// - Parameters:
  ///   - width: Columns of the picture.
  ///   - height: Rows of the picture.
  ///   - tileSide: The largest side of a core; nil for no limit.
  ///   - bands: Into how many bands of whole rows to cut instead, with equal windows.
  ///   - halo: The receptive radius of the network in pixels.
  ///   - alignment: The side of the blocks of pixels that the network takes.
  public init(
    width: Int,
    height: Int,
    tileSide: Int?,
    bands: Int? = nil,
    halo: Int,
    alignment: Int = 1,
  ) {
    let columns = TilePlan.cuts(width, side: tileSide ?? width)
    let equal = TilePlan.cuts(height, side: tileSide ?? height)
    let surroundings = Surroundings(halo: halo, alignment: alignment)
    let even = bands.flatMap { surroundings.bands(height, count: $0) }
    let rows = even?.cores ?? equal
    let windowColumns = surroundings.windows(around: columns, length: width)
    let windowRows = surroundings.windows(around: rows, length: height, size: even?.window)
    windowWidth = windowColumns[0].count
    windowHeight = windowRows[0].count
    tiles = rows.indices.flatMap { y in
      columns.indices.map { x in
        Tile(
          core: PixelRect(columns[x], rows[y]),
          window: PixelRect(windowColumns[x], windowRows[y]),
          blend: nil,
        )
      }
    }
  }

  /// Covers a picture with windows that overlap and are blended.
  init(columns: OverlapPlan, rows: OverlapPlan, scale: Int, isFeathered: Bool) {
    windowWidth = columns.windows[0].count
    windowHeight = rows.windows[0].count
    let columnShares = columns.shares(scale: scale, isFeathered: isFeathered)
    let rowShares = rows.shares(scale: scale, isFeathered: isFeathered)
    let isOne = columns.windows.count == 1 && rows.windows.count == 1
    tiles = rows.windows.indices.flatMap { y in
      columns.windows.indices.map { x in
        Tile(
          core: PixelRect(columns.visible[x], rows.visible[y]),
          window: PixelRect(columns.windows[x], rows.windows[y]),
          blend: isOne ? nil : Blend(columns: columnShares[x], rows: rowShares[y]),
        )
      }
    }
  }

  /// How many cores a length is cut into, and the length of the window around each.
  static func cut(
    _ length: Int,
    side: Int?,
    halo: Int,
    alignment: Int,
  ) -> (count: Int, window: Int) {
    let count = (length + (side ?? length) - 1) / (side ?? length)
    let surroundings = Surroundings(halo: halo, alignment: alignment)
    return (count, surroundings.size(around: (length + count - 1) / count, length: length))
  }

  // As few cores as the side allows, as equal as possible.
  private static func cuts(_ length: Int, side: Int) -> [Range<Int>] {
    let count = (length + side - 1) / side
    return (0..<count).map { (length * $0 / count)..<(length * ($0 + 1) / count) }
  }
}

/// What a core needs around it, along one axis.
struct Surroundings {
  let halo: Int
  let alignment: Int

  /// A window around each core, all of the given size or of what the widest core needs.
  func windows(around cores: [Range<Int>], length: Int, size: Int? = nil) -> [Range<Int>] {
    let widest = cores.map(\.count).max() ?? length
    let extent = wholeBlocks(length)
    let size = size ?? self.size(around: widest, length: length)
    return cores.map { core in
      let first = max(0, core.lowerBound - halo) / alignment * alignment
      let start = min(first, extent - size)
      return start..<(start + size)
    }
  }

  /// The length of every window when the widest core is this wide.
  func size(around widest: Int, length: Int) -> Int {
    // A window that begins between blocks may begin a block less one pixel before its halo.
    min(wholeBlocks(length), wholeBlocks(widest + 2 * halo + alignment - 1))
  }

  /// Cuts a length so that all windows take the same time: the first and the last core need a halo on one
  /// side only and are longer by as much.
  ///
  /// - Returns: The cores and the length of every window; nil where the halo would be more than the cores.
  func bands(_ length: Int, count: Int) -> (cores: [Range<Int>], window: Int)? {
    guard count > 1 else { return nil }
    let shared = wholeBlocks(halo)
    let window = wholeBlocks((length + 2 * shared * (count - 1) + count - 1) / count)
    let (outer, inner) = (window - shared, window - 2 * shared)
    let last = outer + inner * (count - 2)
    guard inner > 0, window < length, last < length else { return nil }
    let ends = (0..<count - 1).map { outer + inner * $0 } + [length]
    return (zip([0] + ends, ends).map { $0..<$1 }, window)
  }

  private func wholeBlocks(_ length: Int) -> Int {
    (length + alignment - 1) / alignment * alignment
  }
}

extension PixelRect {
  init(_ columns: Range<Int>, _ rows: Range<Int>) {
    self.init(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
  }
}

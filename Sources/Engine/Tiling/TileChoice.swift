/// One way to cut pictures of a size: how large the windows are, and how many.
struct TileChoice: Hashable {
  /// The largest side of a tile, as ``Upscaler/Tiling/side(_:)`` means it; nil for no cuts.
  let side: Int?

  /// Bands of whole rows, if tiles are that.
  var bands: Int?
  let windowWidth: Int
  let windowHeight: Int

  /// The tiles of a picture.
  let count: Int

  /// Whether tiles overlap.
  let isBlended: Bool

  /// The tiles that are blended.
  var blendedCount: Int { isBlended ? count : 0 }

  /// The pixels of a window.
  var pixelCount: Int { windowWidth * windowHeight }

  /// The ways to choose from, largest tiles first: one when the user has chosen.
  static func all(
    model: Model,
    width: Int,
    height: Int,
    options: Upscaler.Options,
  ) -> [TileChoice] {
    let cutter = Cutter(
      model: model,
      halo: model.halo ?? 0,
      width: width,
      height: height,
      blending: options.blending,
    )
    switch options.tiling {
    case .wholePicture: return [cutter.choice(side: nil)]
    case .side(let side): return [cutter.choice(side: side)]
    case .bands(let count): return cutter.bands(count)
    case .automatic: return cutter.sides.map { cutter.choice(side: $0) }
    }
  }
}

/// The cuts that a network allows.
private struct Cutter {
  let model: Model
  let halo: Int
  let width: Int
  let height: Int
  let blending: Upscaler.Blending

  // Smaller tiles are nearly all halo.
  private static let smallestSide = 16

  // The papers' code cuts where a side is longer than this.
  private static let paperSide = 512

  private var longer: Int { max(width, height) }

  private var alignment: Int { model.network.tileRule.alignment }

  /// Sides from the whole picture down to the smallest, each about an eighth smaller than the last.
  var sides: [Int] {
    guard case .overlap = model.network.tileRule else {
      var sides: [Int] = []
      var parts = 1
      while (longer + parts - 1) / parts >= Self.smallestSide || parts == 1 {
        sides.append((longer + parts - 1) / parts)
        parts += max(1, parts / 8)
      }
      return sides
    }
    let largest = longer.rounded(upTo: alignment) / alignment
    var sides: [Int] = []
    var blocks = blending == .paper ? min(largest, max(1, Self.paperSide / alignment)) : largest
    while blocks > 0 {
      sides.append(blocks * alignment)
      blocks -= max(1, blocks / 8)
    }
    return sides
  }

  func choice(side: Int?) -> TileChoice {
    let (columns, rows) = (cut(width, side: side), cut(height, side: side))
    var isBlended = false
    if case .overlap = model.network.tileRule { isBlended = columns.count * rows.count > 1 }
    return TileChoice(
      side: side,
      windowWidth: columns.window,
      windowHeight: rows.window,
      count: columns.count * rows.count,
      isBlended: isBlended,
    )
  }

  /// Bands of whole rows, or where tiles overlap the usual choices.
  func bands(_ count: Int) -> [TileChoice] {
    guard case .halo(let alignment, _) = model.network.tileRule else {
      return sides.map { choice(side: $0) }
    }
    // Bands as for every worker, or as many as are not nearly all halo.
    let surroundings = Surroundings(halo: halo, alignment: alignment)
    let most = max(1, min(count, height / Self.smallestSide))
    let bands = (1...most).last { surroundings.bands(height, count: $0) != nil }
    guard let bands, let cut = surroundings.bands(height, count: bands) else {
      return sides.map { choice(side: $0) }
    }
    let inBands = TileChoice(
      side: nil,
      bands: bands,
      windowWidth: TilePlan.cut(width, side: nil, halo: halo, alignment: alignment).window,
      windowHeight: cut.window,
      count: bands,
      isBlended: false,
    )
    // Smaller tiles where the memory is too small for bands.
    return [inBands] + sides.dropFirst().map { choice(side: $0) }
  }

  private func cut(_ length: Int, side: Int?) -> (count: Int, window: Int) {
    switch model.network.tileRule {
    case .halo(let alignment, _):
      return TilePlan.cut(length, side: side, halo: halo, alignment: alignment)
    case .overlap:
      let plan = OverlapPlan(length, side: side, model.network.tileRule, blending)
      return (plan.windows.count, plan.windows[0].count)
    }
  }
}

extension OverlapPlan {
  /// Covers one side of a picture as a network and the way of blending want it.
  init(_ length: Int, side: Int?, _ rule: TileRule, _ blending: Upscaler.Blending) {
    guard case .overlap(let alignment, let padsPicture, _) = rule else {
      preconditionFailure("only some networks have tiles that overlap")
    }
    // No side: longer than any picture.
    let side = (side ?? 1 << 24).rounded(upTo: alignment)
    switch blending {
    case .seamless: self.init(even: length, side: side, alignment: alignment)
    case .paper:
      self.init(paper: length, side: side, alignment: alignment, padsPicture: padsPicture)
    }
  }
}

extension TilePlan {
  /// Cuts pictures of a size for a model, into tiles of at most this side or into bands.
  init(
    model: Model,
    width: Int,
    height: Int,
    side: Int?,
    bands: Int? = nil,
    blending: Upscaler.Blending,
  ) {
    let rule = model.network.tileRule
    switch rule {
    case .halo(let alignment, _):
      self.init(
        width: width,
        height: height,
        tileSide: side,
        bands: bands,
        halo: model.halo ?? 0,
        alignment: alignment,
      )
    case .overlap:
      self.init(
        columns: OverlapPlan(width, side: side, rule, blending),
        rows: OverlapPlan(height, side: side, rule, blending),
        scale: model.scale,
        isFeathered: blending == .seamless,
      )
    }
  }
}

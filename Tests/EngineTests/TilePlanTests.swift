import Testing

@testable import Engine

@Suite struct TilePlanTests {
  struct Case: CustomTestStringConvertible {
    let width: Int
    let height: Int
    let side: Int?
    let halo: Int

    var plan: TilePlan { TilePlan(width: width, height: height, tileSide: side, halo: halo) }

    var testDescription: String {
      "\(width)×\(height), side \(side.map(String.init) ?? "any"), halo \(halo)"
    }
  }

  static let sizes = [
    (1, 1), (1, 9), (7, 5), (16, 16), (17, 33), (64, 64), (65, 63), (50, 51), (320, 180),
    (1000, 17),
    (3, 700),
  ]

  static let cases = sizes.flatMap { width, height in
    [nil, 1, 16, 17, 50, 1000].flatMap { side in
      // Tiles of one pixel are enough for the small pictures.
      side == 1 && width * height > 600
        ? [] : [0, 3, 17].map { Case(width: width, height: height, side: side, halo: $0) }
    }
  }

  @Test(arguments: cases)
  func everyPixelLiesInExactlyOneCore(_ size: Case) {
    var owners = [Int](repeating: 0, count: size.width * size.height)
    for tile in size.plan.tiles {
      #expect(tile.core.width > 0 && tile.core.height > 0)
      #expect(tile.core.width <= size.side ?? size.width)
      #expect(tile.core.height <= size.side ?? size.height)
      #expect(picture(size).contains(tile.core))
      for y in tile.core.y..<(tile.core.y + tile.core.height) {
        for x in tile.core.x..<(tile.core.x + tile.core.width) { owners[y * size.width + x] += 1 }
      }
    }
    let hasOneOwnerEach = owners.allSatisfy { $0 == 1 }
    #expect(hasOneOwnerEach)
  }

  @Test(arguments: cases)
  func windowsHoldTheCoreAndItsHalo(_ size: Case) {
    for tile in size.plan.tiles {
      let needed = tile.core.grown(by: size.halo).clipped(to: picture(size))
      #expect(tile.window.contains(tile.core))
      #expect(tile.window.contains(needed), "\(tile.window) lacks some of \(needed)")
    }
  }

  @Test(arguments: cases)
  func windowsHaveOneSizeAndStayInside(_ size: Case) {
    let plan = size.plan
    for tile in plan.tiles {
      #expect(tile.window.width == plan.windowWidth)
      #expect(tile.window.height == plan.windowHeight)
      #expect(picture(size).contains(tile.window))
    }
  }

  @Test(arguments: cases, [2, 4, 64])
  func windowsAreWholeBlocksThatBeginBetweenBlocks(_ size: Case, alignment: Int) {
    let plan = TilePlan(
      width: size.width,
      height: size.height,
      tileSide: size.side,
      halo: size.halo,
      alignment: alignment
    )
    for tile in plan.tiles {
      let needed = tile.core.grown(by: size.halo).clipped(to: picture(size))
      #expect(tile.window.contains(needed), "\(tile.window) lacks some of \(needed)")
      let numbers = [tile.window.x, tile.window.y, plan.windowWidth, plan.windowHeight]
      let areAligned = numbers.allSatisfy { $0 % alignment == 0 }
      #expect(areAligned && tile.window.x < size.width && tile.window.y < size.height)
    }
  }

  @Test(arguments: cases)
  func windowsAreNoLargerThanTheWidestCoreNeeds(_ size: Case) {
    let plan = size.plan
    let widest = plan.tiles.map(\.core.width).max() ?? 0
    let highest = plan.tiles.map(\.core.height).max() ?? 0
    #expect(plan.windowWidth == min(size.width, widest + 2 * size.halo))
    #expect(plan.windowHeight == min(size.height, highest + 2 * size.halo))
  }

  @Test(arguments: cases)
  func coresAreFewAndEqual(_ size: Case) {
    let plan = size.plan
    let side = size.side ?? max(size.width, size.height)
    let columns = (size.width + side - 1) / side
    let rows = (size.height + side - 1) / side
    #expect(plan.tiles.count == columns * rows)
    let widths = plan.tiles.map(\.core.width)
    let heights = plan.tiles.map(\.core.height)
    #expect((widths.max() ?? 0) - (widths.min() ?? 0) <= 1)
    #expect((heights.max() ?? 0) - (heights.min() ?? 0) <= 1)
  }

  @Test func withoutASideThereIsOneTile() {
    let whole = PixelRect(x: 0, y: 0, width: 320, height: 180)

    let plan = TilePlan(width: 320, height: 180, tileSide: nil, halo: 17)

    #expect(plan.tiles == [TilePlan.Tile(core: whole, window: whole, blend: nil)])
  }

  @Test(arguments: [
    (180, 2, 17, 1), (180, 3, 17, 1), (180, 4, 17, 4), (97, 2, 9, 8), (64, 3, 17, 1),
    (33, 2, 17, 2),
  ])
  func bandsHaveEqualWindowsWithTheirHalos(_ size: (Int, Int, Int, Int)) {
    let (height, count, halo, alignment) = size
    let plan = TilePlan(
      width: 320,
      height: height,
      tileSide: nil,
      bands: count,
      halo: halo,
      alignment: alignment
    )
    let cores = plan.tiles.map { $0.core.y..<($0.core.y + $0.core.height) }
    #expect(cores.flatMap(\.self).elementsEqual(0..<height) && cores.allSatisfy { !$0.isEmpty })
    for tile in plan.tiles {
      let needed = tile.core.grown(by: halo)
        .clipped(to: PixelRect(x: 0, y: 0, width: 320, height: height))
      #expect(tile.window.contains(needed), "\(tile.window) lacks some of \(needed)")
      #expect(tile.window.y % alignment == 0 && tile.window.height == plan.windowHeight)
    }
  }

  @Test func twoBandsComputeEachOthersHaloOnce() {
    let plan = TilePlan(width: 320, height: 180, tileSide: nil, bands: 2, halo: 17)
    #expect(plan.tiles.count == 2 && plan.windowHeight == 90 + 17)
  }

  private func picture(_ size: Case) -> PixelRect {
    PixelRect(x: 0, y: 0, width: size.width, height: size.height)
  }
}

extension PixelRect {
  fileprivate func contains(_ other: PixelRect) -> Bool {
    x <= other.x && y <= other.y && other.x + other.width <= x + width
      && other.y + other.height <= y + height
  }

  fileprivate func grown(by margin: Int) -> PixelRect {
    PixelRect(
      x: x - margin,
      y: y - margin,
      width: width + 2 * margin,
      height: height + 2 * margin
    )
  }

  fileprivate func clipped(to other: PixelRect) -> PixelRect {
    let (left, top) = (max(x, other.x), max(y, other.y))
    return PixelRect(
      x: left,
      y: top,
      width: min(x + width, other.x + other.width) - left,
      height: min(y + height, other.y + other.height) - top,
    )
  }
}

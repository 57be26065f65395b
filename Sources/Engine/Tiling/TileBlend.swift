internal import EngineC

/// The sum of overlapping tiles in the making.
///
/// Tiles are added in their order, whoever finishes first: sums of floats depend on it, and results must
/// not depend on the number of workers. Early tiles wait in memory.
struct TileBlend {
  private let plan: FramePlan
  private let result: Image
  private var waiting: [Int: [Float]] = [:]
  private var next = 0

  init(_ plan: FramePlan, into result: Image) {
    self.plan = plan
    self.result = result
    let count = result.stride * result.height
    for plane in 0..<Image.planeCount { result.plane(plane).update(repeating: 0, count: count) }
  }

  /// Adds a tile, or keeps a copy until it is its turn.
  mutating func add(_ output: UnsafePointer<Float>, tile index: Int) {
    guard index == next else {
      let count = plan.graph.outputShape.count
      waiting[index] = Array(UnsafeBufferPointer(start: output, count: count))
      return
    }
    blend(output)
    while let samples = waiting.removeValue(forKey: next) { blend(samples) }
    if next == plan.tiles.count { clamp() }
  }

  private mutating func blend(_ output: UnsafePointer<Float>) {
    let tile = plan.tiles[next]
    next += 1
    guard let blend = tile.blend else { return }
    let width = tile.window.width * plan.scale
    for (row, share) in blend.rows.enumerated() {
      let start = (tile.core.y * plan.scale + row) * result.stride + tile.core.x * plan.scale
      enginec_blend_row(
        result.plane(0) + start,
        result.plane(1) + start,
        result.plane(2) + start,
        output + row * width * 3,
        blend.columns,
        share,
        plan.sampleLimit,
        blend.columns.count
      )
    }
  }

  private func clamp() {
    for plane in 0..<Image.planeCount {
      enginec_clamp(result.plane(plane), result.stride * result.height)
    }
  }
}

extension Image {
  /// Takes rows of a tile's core from the network's output for its window, clamped to 0…1.
  ///
  /// `rows` are those of the output that `output` begins with; what is around the core is left out.
  func store(
    _ rows: Range<Int>,
    _ output: UnsafePointer<Float>,
    of tile: TilePlan.Tile,
    scale: Int,
  ) {
    let core = tile.core.scaled(by: scale)
    let window = tile.window.scaled(by: scale)
    for row in rows.clamped(to: (core.y - window.y)..<(core.y - window.y + core.height)) {
      let source = output + ((row - rows.lowerBound) * window.width + core.x - window.x) * 3
      let start = (window.y + row) * stride + core.x
      enginec_store_row(
        plane(0) + start,
        plane(1) + start,
        plane(2) + start,
        source,
        core.width
      )
    }
  }

  /// Copies a window into a tensor, in −1…1; beyond its right and lower edges the image is reflected.
  func load(_ window: PixelRect, into tensor: Tensor) {
    let inside = min(window.width, width - window.x)
    for row in 0..<window.height {
      let y = (window.y + row).reflected(in: height) * stride
      let out = tensor.pointer + row * window.width * 3
      let start = y + window.x
      enginec_load_row(out, plane(0) + start, plane(1) + start, plane(2) + start, inside)
      for column in inside..<window.width {
        let source = y + (window.x + column).reflected(in: width)
        for index in 0..<Image.planeCount {
          out[column * 3 + index] = 2 * plane(index)[source] - 1
        }
      }
    }
  }
}

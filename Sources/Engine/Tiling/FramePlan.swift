/// What all frames of one size share: tiles, the compiled network, noise, and memory for results.
final class FramePlan: Sendable {
  let width: Int
  let height: Int
  let scale: Int
  let tiles: [TilePlan.Tile]
  let graph: CompiledGraph
  let results: ImagePool

  private let noiseField: NoiseField
  private let noise: Monitor<[Tensor?]>

  init(model: Model, width: Int, height: Int, options: Upscaler.Options) throws(EngineError) {
    let tilePlan = TilePlan(
      width: width,
      height: height,
      tileSide: options.tiling.side(width: width, height: height),
      halo: model.cost.halo ?? 0,
    )
    self.width = width
    self.height = height
    scale = model.scale
    tiles = tilePlan.tiles
    graph = try options.backend.compile(
      model.network.graph(height: tilePlan.windowHeight, width: tilePlan.windowWidth)
    )
    results = ImagePool(width: width * scale, height: height * scale)
    noiseField = NoiseField(seed: options.seed)
    noise = Monitor(Array(repeating: nil, count: tilePlan.tiles.count))
  }

  /// The noise of a tile's window: drawn when it is first needed, then the same for every frame.
  func noise(tile index: Int) -> Tensor {
    if let drawn = noise.withLock({ $0[index] }) { return drawn }
    let tensor = Tensor(shape: graph.inputShapes[1])
    let window = tiles[index].window
    noiseField.fill(tensor, canvasX: window.x * scale, canvasY: window.y * scale)
    noise.withLock { $0[index] = tensor }
    return tensor
  }
}

extension Upscaler.Tiling {
  // A tile of about 640 × 640 pixels: halos cost a tenth, and a worker's memory stays at some
  // hundred megabytes for a network of 48 features.
  private static let automaticArea = 640 * 640

  /// The largest side of a tile's core; nil when the picture stays whole.
  fileprivate func side(width: Int, height: Int) -> Int? {
    switch self {
    case .wholePicture: return nil
    case .side(let side): return side
    case .automatic:
      let longer = max(width, height)
      return (1...longer).lazy
        .map { parts in (longer + parts - 1) / parts }
        .first { min($0, width) * min($0, height) <= Upscaler.Tiling.automaticArea }
    }
  }
}

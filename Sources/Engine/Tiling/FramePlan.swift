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

  // A tile of about 640 × 640 pixels: halos cost a tenth, and a worker's memory stays at some
  // hundred megabytes for a network of 48 features.
  private static let defaultTileArea = 640 * 640

  init(model: Model, width: Int, height: Int, options: Upscaler.Options) throws(EngineError) {
    let tilePlan = TilePlan(
      width: width,
      height: height,
      tileSide: options.tileSide ?? FramePlan.tileSide(width: width, height: height),
      halo: model.cost.halo,
    )
    self.width = width
    self.height = height
    scale = model.scale
    tiles = tilePlan.tiles
    graph = try options.backend.compile(
      model.network.graph(height: tilePlan.windowHeight, width: tilePlan.windowWidth))
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

  private static func tileSide(width: Int, height: Int) -> Int? {
    guard width * height > defaultTileArea else { return nil }
    // The largest side whose tiles, made equal, stay within the area.
    return (1...).lazy
      .map { parts in (max(width, height) + parts - 1) / parts }
      .first { side in min(side, width) * min(side, height) <= defaultTileArea }
  }
}

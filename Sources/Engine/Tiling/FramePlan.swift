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
      tileSide: options.tiling.side(
        width: width,
        height: height,
        byteCountPerPixel: model.byteCountPerPixel
      ),
      halo: model.halo,
      alignment: model.network.alignment,
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

  /// The noise of a tile's window: drawn when it is first needed, then the same for every frame; nil for a
  /// network that takes none.
  func noise(tile index: Int) -> Tensor? {
    guard graph.inputShapes.count > 1 else { return nil }
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

  // Smaller tiles for larger networks: what a worker keeps between their layers.
  private static let automaticByteCount = 1 << 30

  /// The largest side of a tile's core; nil when the picture stays whole.
  fileprivate func side(width: Int, height: Int, byteCountPerPixel: Int) -> Int? {
    switch self {
    case .wholePicture: return nil
    case .side(let side): return side
    case .automatic:
      let longer = max(width, height)
      let area = max(64 * 64, Upscaler.Tiling.automaticByteCount / byteCountPerPixel)
      return (1...longer).lazy
        .map { parts in (longer + parts - 1) / parts }
        .first { min($0, width) * min($0, height) <= min(Upscaler.Tiling.automaticArea, area) }
    }
  }
}

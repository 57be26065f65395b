/// What all frames of one size share: tiles, the compiled network, noise, and memory for results.
final class FramePlan: Sendable {
  let width: Int
  let height: Int
  let scale: Int
  let tiles: [TilePlan.Tile]
  let graph: CompiledGraph
  let results: ImagePool

  private let noiseField: NoiseField
  private let isNoiseFresh: Bool
  private let noise: Monitor<[Tensor?]>

  init(model: Model, width: Int, height: Int, options: Upscaler.Options) throws(EngineError) {
    let tilePlan = TilePlan(model: model, width: width, height: height, options: options)
    self.width = width
    self.height = height
    scale = model.scale
    tiles = tilePlan.tiles
    graph = try options.backend.compile(
      model.network.graph(height: tilePlan.windowHeight, width: tilePlan.windowWidth)
    )
    results = ImagePool(width: width * scale, height: height * scale)
    noiseField = NoiseField(seed: options.seed)
    isNoiseFresh = options.blending == .paper
    noise = Monitor(Array(repeating: nil, count: tilePlan.tiles.count))
  }

  /// The noise of a tile's window: drawn when it is first needed, then the same for every frame; nil for a
  /// network that takes none.
  func noise(tile index: Int) -> Tensor? {
    guard graph.inputShapes.count > 1 else { return nil }
    if let drawn = noise.withLock({ $0[index] }) { return drawn }
    let tensor = Tensor(shape: graph.inputShapes[1])
    let window = tiles[index].window
    let scale = tensor.shape.width / window.width
    if isNoiseFresh {
      noiseField.fill(tensor, canvasX: 0, canvasY: 0, draw: UInt32(index))
    } else {
      noiseField.fill(tensor, canvasX: window.x * scale, canvasY: window.y * scale)
    }
    noise.withLock { $0[index] = tensor }
    return tensor
  }
}

extension TilePlan {
  fileprivate init(model: Model, width: Int, height: Int, options: Upscaler.Options) {
    guard case .overlap(let alignment, let padsPicture) = model.network.tileRule else {
      self.init(cutting: model, width: width, height: height, options: options)
      return
    }
    let side = options.tiling.overlappingSide(options.blending).rounded(upTo: alignment)
    let plans = [width, height].map { length in
      switch options.blending {
      case .seamless: OverlapPlan(even: length, side: side, alignment: alignment)
      case .paper:
        OverlapPlan(paper: length, side: side, alignment: alignment, padsPicture: padsPicture)
      }
    }
    self.init(
      columns: plans[0],
      rows: plans[1],
      scale: model.scale,
      isFeathered: options.blending == .seamless,
    )
  }

  private init(cutting model: Model, width: Int, height: Int, options: Upscaler.Options) {
    var alignment = 1
    if case .halo(let side, _) = model.network.tileRule { alignment = side }
    self.init(
      width: width,
      height: height,
      tileSide: options.tiling.side(
        width: width,
        height: height,
        byteCountPerPixel: model.byteCountPerPixel
      ),
      halo: model.halo ?? 0,
      alignment: alignment,
    )
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

  /// The side of windows that overlap.
  fileprivate func overlappingSide(_ blending: Upscaler.Blending) -> Int {
    switch self {
    case .wholePicture: 1 << 24
    case .side(let side): side
    // Three times the side that the networks were trained with, at a gigabyte per worker; the papers'
    // code takes 512, at eight.
    case .automatic: blending == .paper ? 512 : 192
    }
  }
}

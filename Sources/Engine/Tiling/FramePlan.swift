/// What all frames of one size share: tiles, the compiled network, noise, and memory for results.
final class FramePlan: Sendable {
  let width: Int
  let height: Int
  let scale: Int
  let tiles: [TilePlan.Tile]
  let graph: CompiledGraph
  let results: ImagePool

  /// The largest magnitude with which a sample of a tile is blended.
  let sampleLimit: Float

  private let noiseField: NoiseField
  private let mode: (blending: Upscaler.Blending, noise: Upscaler.Noise)
  private let keptNoise: Monitor<[Tensor?]>?

  init(_ plan: WorkPlan, model: Model, options: Upscaler.Options) throws(EngineError) {
    width = plan.width
    height = plan.height
    scale = model.scale
    tiles = plan.tiles.tiles
    graph = try options.backend.compile(plan.graph)
    results = ImagePool(width: width * scale, height: height * scale)
    if case .overlap(_, _, clampsTiles: true) = model.network.tileRule {
      sampleLimit = 1
    } else {
      sampleLimit = .infinity
    }
    noiseField = NoiseField(seed: options.seed)
    mode = (options.blending, options.noise)
    keptNoise = plan.keepsNoise ? Monitor(Array(repeating: nil, count: tiles.count)) : nil
  }

  /// The noise of a tile's window in a frame; nil for a network that takes none.
  ///
  /// Noise that is the same in every frame is drawn when it is first needed and kept, if there is memory
  /// for all of a frame; otherwise `own` is filled, the tensor of the worker that asks.
  func noise(tile index: Int, frame: Int, own: inout Tensor?) -> Tensor? {
    guard graph.inputShapes.count > 1 else { return nil }
    if let kept = keptNoise?.withLock({ $0[index] }) { return kept }
    let tensor = own ?? Tensor(shape: graph.inputShapes[1])
    fill(tensor, tile: index, frame: frame)
    if let keptNoise {
      keptNoise.withLock { $0[index] = tensor }
    } else {
      own = tensor
    }
    return tensor
  }

  // A draw is a field of its own. All tiles of a frame show parts of one field, or each has its own.
  private func fill(_ tensor: Tensor, tile index: Int, frame: Int) {
    let window = tiles[index].window
    let scale = tensor.shape.width / window.width
    let number = mode.noise == .still ? 0 : frame
    switch mode.blending {
    case .seamless:
      noiseField.fill(
        tensor,
        canvasX: window.x * scale,
        canvasY: window.y * scale,
        draw: UInt32(truncatingIfNeeded: number),
      )
    case .paper:
      let draw = UInt32(truncatingIfNeeded: number * tiles.count + index)
      noiseField.fill(tensor, canvasX: 0, canvasY: 0, draw: draw)
    }
  }
}

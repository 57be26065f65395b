/// What frames of one size that are cut in one way share: tiles, the compiled network, noise, and memory
/// for results.
final class FramePlan: Sendable {
  let width: Int
  let height: Int
  let scale: Int

  /// The tiles of a whole frame; none when frames are patched.
  let tiles: [TilePlan.Tile]

  let graph: CompiledGraph
  let results: ImagePool

  /// The largest magnitude with which a sample of a tile is blended.
  let sampleLimit: Float

  private let noiseField: NoiseField
  private let mode: (blending: Upscaler.Blending, noise: Upscaler.Noise)
  private let keptNoise: Monitor<[Tensor?]>?

  // Of the whole picture, for patches: drawn once, since patches are many and small.
  private let noiseShape: Shape?
  private let wholeNoise = Monitor<Tensor?>(nil)

  /// For frames of which every tile is computed.
  convenience init(_ plan: WorkPlan, model: Model, options: Upscaler.Options) throws(EngineError) {
    let results = ImagePool(width: plan.width * model.scale, height: plan.height * model.scale)
    try self.init(
      plan,
      plan.tiles.tiles,
      graph: plan.graph,
      cores: plan.tiles.cores,
      keepsNoise: plan.keepsNoise,
      noiseShape: nil,
      results: results,
      model: model,
      options: options,
    )
  }

  /// For frames of which only some patches are computed; nil if the work is not planned so.
  convenience init?(
    patchesOf plan: WorkPlan,
    results: ImagePool,
    model: Model,
    options: Upscaler.Options,
  ) throws(EngineError) {
    guard let patches = plan.patches else { return nil }
    try self.init(
      plan,
      [],
      graph: patches.graph,
      cores: patches.cores,
      keepsNoise: false,
      noiseShape: patches.noiseShape,
      results: results,
      model: model,
      options: options,
    )
  }

  private init(
    _ plan: WorkPlan,
    _ tiles: [TilePlan.Tile],
    graph: Graph,
    cores: [Range<Int>],
    keepsNoise: Bool,
    noiseShape: Shape?,
    results: ImagePool,
    model: Model,
    options: Upscaler.Options,
  ) throws(EngineError) {
    width = plan.width
    height = plan.height
    scale = model.scale
    self.tiles = tiles
    self.graph = try options.backend.compile(graph, cores: cores)
    self.results = results
    self.noiseShape = noiseShape
    if case .overlap(_, _, clampsTiles: true) = model.network.tileRule {
      sampleLimit = 1
    } else {
      sampleLimit = .infinity
    }
    noiseField = NoiseField(seed: options.seed)
    mode = (options.blending, options.noise)
    keptNoise = keepsNoise ? Monitor(Array(repeating: nil, count: tiles.count)) : nil
  }

  /// The noise of a tile's window in a frame; nil for a network that takes none.
  ///
  /// Noise that is the same in every frame is drawn when it is first needed and kept, if there is memory
  /// for all of a frame; otherwise `own` is filled, the tensor of the worker that asks.
  func noise(for job: FrameJob, tile index: Int, own: inout Tensor?) -> Tensor? {
    guard graph.inputShapes.count > 1 else { return nil }
    if let kept = keptNoise?.withLock({ $0[index] }) { return kept }
    let tensor = own ?? Tensor(shape: graph.inputShapes[1])
    fill(tensor, for: job, tile: index)
    if let keptNoise {
      keptNoise.withLock { $0[index] = tensor }
    } else {
      own = tensor
    }
    return tensor
  }

  // A draw is a field of its own. All tiles of a frame show parts of one field, or each has its own.
  private func fill(_ tensor: Tensor, for job: FrameJob, tile index: Int) {
    let window = job.tiles[index].window
    let scale = tensor.shape.width / window.width
    if let noiseShape {
      let (x, y) = (window.x * scale, window.y * scale)
      return tensor.copy(from: noise(ofWholePicture: noiseShape), x: x, y: y)
    }
    let number = mode.noise == .still ? 0 : job.number
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

  private func noise(ofWholePicture shape: Shape) -> Tensor {
    wholeNoise.withLock { noise in
      if let noise { return noise }
      let drawn = Tensor(shape: shape)
      noiseField.fill(drawn, canvasX: 0, canvasY: 0)
      noise = drawn
      return drawn
    }
  }
}

extension Tensor {
  /// Takes the pixels of a larger tensor from column `x` and row `y` on.
  fileprivate func copy(from whole: Tensor, x: Int, y: Int) {
    let count = shape.width * shape.channels
    for row in 0..<shape.height {
      let source = whole.pointer + ((y + row) * whole.shape.width + x) * shape.channels
      (pointer + row * count).update(from: source, count: count)
    }
  }
}

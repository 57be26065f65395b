/// Small tiles that may lie anywhere in a picture: of a picture of which little has changed only these are
/// computed anew.
struct PatchPlan: Sendable {
  let graph: Graph

  private let width: Int
  private let height: Int
  private let surroundings: Surroundings
  private let side: Int

  // Holds all that a change of 25 pixels reaches, a cursor or a letter, wherever it is. Smaller patches are nearly
  // all halo, larger ones hold much that has not changed.
  private static func side(halo: Int) -> Int {
    4 * ChangedCells.side + 2 * halo.rounded(upTo: ChangedCells.side)
  }

  // What a picture must measure in patches, so that a part of it can pay.
  private static let leastCount = 2

  /// Nil where a patch would not give the very bits of the whole picture: where the network looks beyond
  /// a tile's halo, tiles have noise of their own or the backend is not that exact; and where pictures
  /// are too small.
  init?(model: Model, width: Int, height: Int, options: Upscaler.Options) {
    guard options.reusesUnchanged, options.noise == .still, options.blending == .seamless,
      case .halo(let alignment, let limit) = model.network.tileRule,
      let halo = model.cost.halo, halo <= limit ?? .max
    else { return nil }
    self.width = width
    self.height = height
    surroundings = Surroundings(halo: halo, alignment: alignment)
    side = Self.side(halo: halo + alignment - 1)
    guard width * height >= Self.leastCount * side * side else { return nil }
    graph = model.network.windowGraph(
      height: surroundings.size(around: min(side, height), length: height),
      width: surroundings.size(around: min(side, width), length: width),
    )
    guard options.backend.isExactInParts(graph) else { return nil }
  }

  /// The rows of a window that may be the patch in it: near the picture's edges not those in the middle.
  var cores: [Range<Int>] {
    let window = graph.shape(of: graph.inputs[0]).height
    let rows = min(side, height)
    return (0...(window - rows)).map { $0..<($0 + rows) }
  }

  /// What a patch takes, as ``Graph/work(cores:)`` counts.
  var work: Int { graph.work(cores: cores) }

  /// The noise of a whole picture, of which every patch sees a part; nil for a network that takes none.
  var noiseShape: Shape? {
    guard graph.inputs.count > 1 else { return nil }
    let (window, noise) = (graph.shape(of: graph.inputs[0]), graph.shape(of: graph.inputs[1]))
    let scale = noise.width / window.width
    return Shape(
      height: height.rounded(upTo: surroundings.alignment) * scale,
      width: width.rounded(upTo: surroundings.alignment) * scale,
      channels: noise.channels,
    )
  }

  /// The bytes of another program for each worker, of its weights and of the noise.
  func programByteCount(workers: Int, backend: any Backend) throws(EngineError) -> Int {
    let memory = try GraphMemory(graph, cores: cores, backend: backend)
    let samples = graph.inputs.reduce(0) { $0 + graph.shape(of: $1).count }
    let inputs = samples * MemoryLayout<Float>.size
    let noise = (noiseShape?.count ?? 0) * MemoryLayout<Float>.size
    return memory.weightByteCount + noise + workers * (memory.arenaByteCount + inputs)
  }

  /// Patches that cover all that differs between the results for two pictures; nil if these are more than
  /// `limit`.
  func patches(from last: Image, to image: Image, limit: Int) -> [TilePlan.Tile]? {
    var cells = ChangedCells(from: last, to: image)
    cells.grow(by: surroundings.halo + surroundings.alignment - 1)
    guard cells.area <= limit * side * side else { return nil }
    var patches: [TilePlan.Tile] = []
    while let (x, y) = cells.first(rows: side) {
      guard patches.count < limit else { return nil }
      let patch = patch(x: x, y: y)
      cells.remove(patch.core)
      patches.append(patch)
    }
    return patches
  }

  private func patch(x: Int, y: Int) -> TilePlan.Tile {
    let columns = core(at: x, length: width)
    let rows = core(at: y, length: height)
    return TilePlan.Tile(
      core: PixelRect(columns, rows),
      window: PixelRect(
        surroundings.windows(around: [columns], length: width)[0],
        surroundings.windows(around: [rows], length: height)[0],
      ),
      blend: nil,
    )
  }

  private func core(at position: Int, length: Int) -> Range<Int> {
    let side = min(side, length)
    let start = min(position, length - side)
    return start..<(start + side)
  }
}

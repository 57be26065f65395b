internal import ArgumentParser
internal import Engine
internal import Pipeline

/// The options that choose the model and how it runs.
struct EngineOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help:
      """
      A bundled model (\(BundledModel.families.joined(separator: ", "))) or a .safetensors or .pth file; of a bundled \
      model the weights of the smallest scale that reaches the output's size.
      """
  )
  var model = "fast"

  @Option(help: "The library that runs the network.")
  var backend = BackendArgument.auto

  @Option(
    help:
      "What the network's convolutions multiply; auto is the fastest on this CPU that costs less than 0.1 dB."
  )
  var precision = PrecisionArgument.auto

  @Option(
    help: ArgumentHelp("The autoencoder's file, for TAD-SR in two files.", valueName: "file")
  )
  var autoencoder: String?

  @Option(
    help: ArgumentHelp(
      "Threads at most of the engine, and as many of the decoder and of the encoder (default: one per CPU).",
      valueName: "n"
    )
  )
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "The side of a tile in input pixels, 16 or more; auto, or 0 for none (default: auto).",
      valueName: "n"
    ),
    transform: TileArgument.init(_:)
  )
  var tile = TileArgument.automatic

  @Option(
    help:
      "How tiles join where a network looks everywhere: seamless, or as the papers' code does."
  )
  var tiles = TilesArgument.seamless

  @Option(
    help: ArgumentHelp(
      "The most memory that the run takes, as in 8G or 500M (default: half of the machine's).",
      valueName: "size"
    ),
    transform: MemoryArgument.init(_:)
  )
  var memory: MemoryArgument?

  @Option(help: "The noise that networks start from: the same in every frame, or new in each.")
  var noise = NoiseArgument.still

  @Option(
    help: ArgumentHelp(
      "The seed of the noise that the network starts from (default: 0).",
      valueName: "n"
    )
  )
  var seed: UInt64?

  func validate() throws {
    if backend == .openblas, [.bf16, .int8].contains(precision) {
      throw ValidationError("--precision \(precision.rawValue) needs --backend onednn")
    }
    if precision == .bf16, !Precision.bfloat16.isPossible {
      throw ValidationError("--precision bf16 needs a CPU with AVX-512; fp32 needs none")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 1024, not \(threads)")
    }
  }

  /// The threads of the engine at most.
  var workers: Int { threads ?? Machine.processorCount }

  /// How the engine runs a model.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when the model lacks what the precision takes.
  func upscalerOptions(_ model: Model) throws(EngineError) -> Upscaler.Options {
    var options = Upscaler.Options()
    options.backend = backend.backend(try precision.precision(for: model, on: backend))
    options.workers = workers
    options.tiling = tile.tiling
    options.blending = tiles.blending
    options.noise = noise.noise
    options.seed = seed ?? 0
    // Tiles that the user chose are checked against a limit that the user set only.
    options.memory = memory == nil && tile.tiling != .automatic ? nil : memoryLimit
    return options
  }

  /// The most memory that the run takes, in bytes.
  var memoryLimit: Int { memory?.byteCount ?? Machine.memoryByteCount / 2 }

  /// Refuses what has no effect on the models to choose from.
  ///
  /// - Throws: A `ValidationError`.
  func check(_ family: ModelFamily) throws {
    let name = RawArguments.path(model).quoted
    let ofNoise = noise == .perFrame ? "--noise per-frame" : seed.map { "--seed \($0)" }
    if let ofNoise, !family.models.contains(where: \.startsFromNoise) {
      throw ValidationError("\(ofNoise) has no effect: the network of \(name) starts from no noise")
    }
    if tiles == .paper, family.models.allSatisfy({ $0.halo != nil }) {
      throw ValidationError("--tiles paper has no effect: tiles for \(name) do not overlap")
    }
  }

  /// The models to choose from.
  var family: ModelFamily {
    get throws(EngineError) {
      guard !BundledModel.families.contains(model) else {
        return try ModelFamily(named: model, autoencoder: autoencoder)
      }
      let latents = try autoencoder.map { (path) throws(EngineError) in
        try WeightStore(fileArgument: path)
      }
      let store = try WeightStore(modelArgument: model)
      return ModelFamily([try Model(named: model, store, autoencoder: latents)])
    }
  }

  /// The files that are read for them.
  func files(of family: ModelFamily) -> [MediaPath] {
    (family.models.map(\.path) + [autoencoder]).compactMap(\.self).map(RawArguments.path)
  }

  /// What a run must know of the engine that enlarges pictures of a size by a model.
  func needs(
    _ model: Model,
    enlarging source: (width: Int, height: Int),
  ) throws(EngineError) -> EngineNeeds {
    let options = try upscalerOptions(model)
    var needs = EngineNeeds()
    // An error comes up again when the work is planned.
    let least = try? WorkPlan.leastMemory(
      model: model,
      width: source.width,
      height: source.height,
      options: options,
    )
    needs.leastMemory = least ?? 0
    needs.resultMemory = Image.byteCount(
      width: source.width * model.scale,
      height: source.height * model.scale
    )
    needs.multiplicationsPerPixel = Double(model.cost.multiplyAddsPerPixel)
    return needs
  }

  /// How a run works on pictures, and who does it; others take some of the memory and have done the frames
  /// before the first, and what has not changed from picture to picture may be copied.
  ///
  /// Live, all workers work on one picture unless the user chose the tiles.
  func upscaler(
    _ model: Model,
    width: Int,
    height: Int,
    memoryOfOthers: Int,
    reusesUnchanged: Bool,
    firstFrame: Int = 0,
    isLive: Bool = false,
  ) throws(EngineError) -> (Upscaler, WorkPlan) {
    var options = try upscalerOptions(model)
    if isLive, tile.tiling == .automatic { options.tiling = .bands(options.workers) }
    options.memoryOfOthers = memoryOfOthers
    options.reusesUnchanged = reusesUnchanged
    options.firstFrame = firstFrame
    let plan = try WorkPlan(model: model, width: width, height: height, options: options)
    return (try Upscaler(model: model, options: options, plan: plan), plan)
  }
}

extension WeightStore {
  /// Reads the file of a model that an argument names, by its bundled name or its path.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)``.
  init(modelArgument name: String) throws(EngineError) {
    try self.init(modelNamed: name, bytes: RawArguments.path(name).bytes)
  }

  /// Reads the file whose path is an argument.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)``.
  init(fileArgument path: String) throws(EngineError) {
    try self.init(path: path, bytes: RawArguments.path(path).bytes)
  }
}

internal import ArgumentParser
internal import Engine
internal import Glibc
internal import Pipeline

/// `vsr models quantize`: a model that can also run in 8 bits.
struct ModelsQuantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Write a model that can also run in int8, calibrated with pictures.",
    discussion: """
      The pictures should be like those that will be upscaled, of good quality, a dozen or more; of a \
      clip some are taken, spread over all of it. The card says what int8 costs: int8_loss_db is how much \
      lower the PSNR of a reduced and upscaled picture is than in fp32.
      """,
  )

  @Argument(help: ArgumentHelp("A bundled model or a file.", valueName: "name|file"))
  var model: String

  @Option(
    name: .customLong("calibrate"),
    parsing: .upToNextOption,
    help: ArgumentHelp("Clips or pictures to calibrate with.", valueName: "file")
  )
  var inputs: [MediaPath]

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The output, a .safetensors file.", valueName: "file")
  )
  var output: MediaPath

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing output.")
  var overwrite = false

  // More make the factors hardly better.
  private static let pictureLimit = 32

  func validate() throws {
    try output.checkNamesModel()
  }

  func run() throws {
    let cancellation = Cancellation()
    let isWriting = Monitor(false)
    Signals.onEnding(cancellation) { signal in
      guard isWriting.withLock({ $0 }) else { _exit(128 + signal) }
      cancellation.request(signal: signal)
    }
    let store = try WeightStore(modelArgument: model)
    let report = try ModelReport(named: model, store)
    let source = try Model(named: model, store)
    let side = QuantizedModel.longestSide(scale: source.scale)
    let quantized = try QuantizedModel(source, pictures: pictures(side: side, cancellation))
    let result = try quantized.file([store], metadata: report.card(source, file: model))
    isWriting.withLock { $0 = true }
    try WholeFile.write(
      output,
      source: source.path.map(RawArguments.path),
      neverReplaced: inputs,
      overwrite: overwrite,
      cancellation: cancellation
    ) { write in
      try result.forEachPiece { try write($0) }
    }
    Console.say(
      "vsr: wrote \(output.quoted): \(quantized.layerCount) convolutions in int8, "
        + "\(quantized.loss.formatted(3)) dB lower than fp32, "
        + "\(quantized.fidelity.formatted(1)) dB apart from it"
    )
  }

  private func pictures(side: Int, _ cancellation: Cancellation) throws -> [Image] {
    let each = max(1, Self.pictureLimit / inputs.count)
    return try inputs.flatMap { input in
      try PictureSample(InputOptions(input), limit: each, side: side, cancellation: cancellation)
        .pictures
    }
  }
}

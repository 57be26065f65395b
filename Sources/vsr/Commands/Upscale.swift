internal import ArgumentParser
internal import Engine
internal import Pipeline

/// `vsr upscale`: a file, a picture or an image sequence, larger.
struct Upscale: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Upscale a video, a picture or an image sequence.",
    discussion: """
      The output's name chooses the container; audio, subtitles, chapters and times are kept. A name
      with a number pattern such as frame%04d.png is an image sequence. "-" is standard input or output.
      """,
  )

  @Argument(help: ArgumentHelp("The input, if not given by --input.", valueName: "in"))
  var positionals: [MediaPath] = []

  @Option(name: .shortAndLong, help: ArgumentHelp("The input.", valueName: "file"))
  var input: MediaPath?

  @Option(name: .shortAndLong, help: ArgumentHelp("The output.", valueName: "file"))
  var output: MediaPath?

  @Option(name: .shortAndLong, help: "The output's format, when its name does not tell.")
  var format: String?

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing output.")
  var overwrite = false

  @Flag(
    inversion: .prefixedNo,
    help: "Read the finished file again: count its packets, compare its pictures' times."
  )
  var verify = true

  @Flag(help: "Say how much time and memory the run would take, and write nothing.")
  var estimate = false

  @OptionGroup(title: "Size") var size: SizeOptions
  @OptionGroup(title: "Engine") var engine: EngineOptions
  @OptionGroup(title: "Encoder") var encoder: EncoderArguments
  @OptionGroup(title: "Part") var part: PartArguments
  @OptionGroup(title: "Input") var inputArguments: InputArguments
  @OptionGroup(title: "Repair") var repair: RepairArguments
  @OptionGroup(title: "Long runs") var work: WorkArguments
  @OptionGroup(title: "Report") var report: ReportOptions

  func run() throws {
    let cancellation = Cancellation()
    if estimate {
      Signals.exitOnEnding()
    } else {
      Signals.onEnding(cancellation)
    }
    let paths = try paths()
    let family = try engine.family
    try engine.check(family)
    var model = family.models[0]
    let transcode = try Transcode(options(paths, family), cancellation: cancellation) {
      (source, target) throws(EngineError) in
      model = family.model(enlarging: source, to: target)
      return try needs(model, enlarging: source, paths.output)
    }
    let (upscaler, plan) = try engine.upscaler(
      model,
      width: transcode.plan.sourceWidth,
      height: transcode.plan.sourceHeight,
      memoryOfOthers: transcode.plan.byteCount,
      reusesUnchanged: repair.dedup.tolerance != nil,
      firstFrame: transcode.plan.storedFrames,
    )
    if estimate {
      let estimate = try Estimate(transcode, upscaler, plan)
      return try Console.print(report.json ? estimate.json : estimate.text)
    }
    let reporter = RunReporter(report, transcode, upscaler, outputName: paths.output.quoted)

    reporter.begin(plan, threads: engine.workers)
    let result = Result { () throws(MediaError) in
      try transcode.run(framesInFlight: plan.framesInFlight) { (image) throws(EngineError) in
        try upscaler.upscale(image)
      }
    }
    reporter.end(result)
    let done = try result.get()
    if report.json {
      let record = RunRecord(
        done,
        of: transcode,
        by: [upscaler],
        input: paths.input,
        output: paths.output,
      )
      try Console.print(record.json)
    }
    if done.isDamaged { throw ExitStatus.damagedInput }
  }

  // Not in validate(): an unknown option must be named before its value is taken for a file.
  private func paths() throws -> (input: MediaPath, output: MediaPath) {
    let given = [input].compactMap { $0 } + positionals + [output].compactMap { $0 }
    guard given.count == 2 else {
      let fault =
        given.count < 2 ? "needs an input and an output" : "takes one input and one output"
      throw ValidationError("upscale \(fault), as in: vsr IN OUT")
    }
    let (input, output) = (given[0], given[1].asOutput)
    if let address = try [input, output].first(where: { try NetworkAddress($0) != nil }) {
      throw ValidationError("\(address.quoted) is an address; vsr stream takes those, by -i and -o")
    }
    guard !(report.json && output.isStandardStream) else {
      throw ValidationError("--json and an output of '-' both want standard output")
    }
    return (input, output)
  }

  private func needs(
    _ model: Model,
    enlarging source: (width: Int, height: Int),
    _ output: MediaPath,
  ) throws(EngineError) -> EngineNeeds {
    var needs = try engine.needs(model, enlarging: source)
    needs.facts = try work.facts(for: output, engine, model)
    return needs
  }

  private func options(
    _ paths: (input: MediaPath, output: MediaPath),
    _ family: ModelFamily,
  ) -> TranscodeOptions {
    var source = inputArguments.options(for: paths.input)
    source.deinterlacing = repair.deinterlace
    source.decoderThreads = engine.threads ?? 0
    var target = OutputOptions(paths.output, size: size.outputSize(modelScale: family.scale))
    target.format = format
    target.overwrite = overwrite
    target.neverReplaced = engine.files(of: family)
    target.encoder = encoder.options(threads: engine.threads)
    var options = TranscodeOptions(input: source, output: target)
    options.part = part.part
    options.damage = repair.damagePolicy
    options.repeatTolerance = engine.noise == .still ? repair.dedup.tolerance : nil
    options.verifies = verify
    options.memory = engine.memoryLimit
    options.work = work.options
    return options
  }
}

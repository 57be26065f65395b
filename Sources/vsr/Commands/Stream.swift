internal import ArgumentParser
internal import Engine
internal import Glibc
internal import Pipeline

/// `vsr stream`: a live stream, larger, with a bounded delay.
struct Stream: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Upscale a live stream, from standard input to standard output unless told otherwise.",
    discussion: """
      Input and output may be addresses: http, https, rtmp, rtmps, rtp, rtsp, srt, tcp and udp; an address that ends in \
      .m3u8 is HLS. Nothing is opened but what is named, and for a playlist what lies on its host.

      Every frame leaves as soon as it is ready, with its time; sound, subtitles and data pass. The end of the \
      input, or an interrupt, ends the stream when everything that was read is written.
      """,
  )

  @Option(name: .shortAndLong, help: ArgumentHelp("The input (default: -).", valueName: "file|url"))
  var input = MediaPath("-")

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The output (default: -).", valueName: "file|url")
  )
  var output = MediaPath("-")

  @Option(
    name: .shortAndLong,
    help: "The output's format, when its name does not tell; mpegts for standard output."
  )
  var format: String?

  @Flag(name: [.customShort("y"), .long], help: "Replace an existing output.")
  var overwrite = false

  @OptionGroup(title: "Network") var network: NetworkArguments

  @OptionGroup(title: "Delay") var live: LiveArguments
  @OptionGroup(title: "Size") var size: SizeOptions
  @OptionGroup(title: "Engine") var engine: EngineOptions
  @OptionGroup(title: "Encoder") var encoder: EncoderArguments
  @OptionGroup(title: "Input") var inputArguments: InputArguments
  @OptionGroup(title: "Repair") var repair: RepairArguments
  @OptionGroup(title: "Report") var report: ReportOptions

  // How long what was read may take to be written after an interrupt.
  private static let graceSeconds: UInt32 = 2

  func run() throws {
    try checkStandardStreams()
    let cancellation = Cancellation()
    let isRunning = Monitor(false)
    Signals.onEnding { signal in
      guard isRunning.withLock({ $0 }) else { return cancellation.request(signal: signal) }
      cancellation.endInput(signal: signal)
      _ = WorkerThread {
        sleep(Stream.graceSeconds)
        cancellation.request(signal: signal)
      }
    }
    let model = try Model(named: engine.model, autoencoder: engine.autoencoder)
    let transcode = try Transcode(
      try options(model),
      cancellation: cancellation,
      leastForEngine: try engine.leastMemory(model),
    )
    let (upscaler, work) = try engine.upscaler(
      model,
      width: transcode.plan.sourceWidth,
      height: transcode.plan.sourceHeight,
      memoryOfOthers: transcode.plan.byteCount,
      reusesUnchanged: repair.dedup.tolerance != nil,
      isLive: true,
    )
    try warmUp(upscaler, transcode.plan)
    let reporter = RunReporter(report, transcode, upscaler, outputName: output.asOutput.quoted)
    reporter.begin(work, threads: engine.workers)
    isRunning.withLock { $0 = true }
    let result = Result { () throws(MediaError) in
      try transcode.run(
        framesInFlight: work.framesInFlight,
        framesAtOnce: work.framesAtOnce,
      ) { (image) throws(EngineError) in
        try upscaler.upscale(image)
      }
    }
    reporter.end(result)
    try end(result.get(), transcode, cancellation, areaReused: upscaler.reusedShare)
  }

  // Names that other players know; data and reports never share standard output.
  private func checkStandardStreams() throws {
    guard output.asOutput.isStandardStream, isatty(STDOUT_FILENO) == 1 else { return }
    throw ValidationError("standard output is a terminal; pipe it into a player, or give --output")
  }

  // The first picture would have to wait for the network to be compiled.
  private func warmUp(_ upscaler: Upscaler, _ plan: TranscodePlan) throws(EngineError) {
    let image = Image(width: plan.sourceWidth, height: plan.sourceHeight)
    for plane in 0..<Image.planeCount {
      image.plane(plane).update(repeating: 0, count: image.stride * image.height)
    }
    _ = try upscaler.upscale(image).wait()
  }

  private func end(
    _ done: TranscodeReport,
    _ transcode: Transcode,
    _ cancellation: Cancellation,
    areaReused: Double,
  ) throws {
    if report.json {
      let record = RunRecord(
        done,
        of: transcode,
        areaReused: areaReused,
        input: input,
        output: output.asOutput,
      )
      let json = try record.json
      output.asOutput.isStandardStream ? Console.say(json) : try Console.print(json)
    }
    if let signal = cancellation.signalOfInputEnd {
      throw MediaError.interrupted(signal: signal)
    }
    if done.isDamaged { throw ExitStatus.damagedInput }
  }

  private func options(_ model: Model) throws -> TranscodeOptions {
    var source = inputArguments.options(for: input)
    source.deinterlacing = repair.deinterlace
    source.decoderThreads = engine.threads ?? 0
    source.isLive = true
    source.network = try NetworkAddress(input)
    source.listens = network.listen
    source.reconnections = network.reconnect
    source.feedsStandardOutput = output.asOutput.isStandardStream
    var target = OutputOptions(output.asOutput, size: size.outputSize(modelScale: model.scale))
    target.network = try NetworkAddress(output)
    let usual = output.asOutput.isStandardStream ? "mpegts" : target.network?.usualFormat
    target.format = format ?? usual
    target.overwrite = overwrite
    target.neverReplaced = [model.path, engine.autoencoder].compactMap(\.self).map { MediaPath($0) }
    target.encoder = encoder.options(threads: engine.threads)
    target.encoder.isLive = true
    var options = TranscodeOptions(input: source, output: target)
    options.damage = repair.damagePolicy
    options.repeatTolerance = engine.noise == .still ? repair.dedup.tolerance : nil
    options.verifies = false
    options.memory = engine.memoryLimit
    options.live = live.options
    return options
  }
}

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
    let running = Monitor<Transcode?>(nil)
    Signals.onEnding(cancellation) { signal in
      guard let transcode = running.withLock({ $0 }) else {
        return cancellation.request(signal: signal)
      }
      cancellation.endInput(signal: signal)
      _ = WorkerThread {
        sleep(Stream.graceSeconds)
        transcode.hasten(signal: signal)
      }
    }
    let family = try engine.family
    try engine.check(family)
    var model = family.models[0]
    let transcode = try Transcode(options(family), cancellation: cancellation) {
      (source, target) throws(EngineError) in
      model = family.model(enlarging: source, to: target)
      return try engine.needs(model, enlarging: source)
    }
    let ways = try EngineLadder(
      engine,
      model,
      transcode.plan,
      reusesUnchanged: repair.dedup.tolerance != nil,
      isAdaptive: live.adaptive,
    )
    let reporter = RunReporter(report, transcode, ways, outputName: output.asOutput.quoted)
    reporter.begin(ways, threads: engine.workers)
    running.withLock { $0 = transcode }
    let ladder = ways.ladder { reporter.tellChange(from: $0, to: $1) }
    let result = Result { () throws(MediaError) in
      try transcode.run(
        framesInFlight: ways.framesInFlight,
        framesAtOnce: ways.framesAtOnce,
        ladder: ladder,
      )
    }
    reporter.end(result)
    try end(result.get(), transcode, cancellation, ways)
  }

  // Names that other players know; data and reports never share standard output.
  private func checkStandardStreams() throws {
    guard output.asOutput.isStandardStream, isatty(STDOUT_FILENO) == 1 else { return }
    throw ValidationError("standard output is a terminal; pipe it into a player, or give --output")
  }

  private func end(
    _ done: TranscodeReport,
    _ transcode: Transcode,
    _ cancellation: Cancellation,
    _ ways: EngineLadder,
  ) throws {
    if report.json {
      let record = RunRecord(
        done,
        of: transcode,
        by: ways.rungs.map(\.upscaler),
        ways: ways,
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

  // What the input would ignore is refused.
  private func checkOptions(for address: NetworkAddress?) throws {
    if network.listen, address?.canListen != true {
      throw ValidationError("--listen needs an http, rtmp, rtsp, srt or tcp address as the input")
    }
    if network.reconnect > 0, address == nil {
      throw ValidationError("--reconnect needs an address as the input")
    }
    if network.reconnect > 0, let address, saysItsFormat(address) {
      throw ValidationError(
        "--reconnect is not for RTSP, RTP and HLS: these connections end for good; start vsr again in a loop"
      )
    }
    if let address, saysItsFormat(address), let option = inputArguments.firstGiven {
      throw ValidationError("\(option) is not for RTSP, RTP and HLS: they say what they carry")
    }
  }

  // The usual format of what is sent over RTP is MPEG-TS, but others may be received.
  private func saysItsFormat(_ address: NetworkAddress) -> Bool {
    ["rtsp", "hls"].contains(address.usualFormat) || input.text.lowercased().hasPrefix("rtp://")
  }

  private func options(_ family: ModelFamily) throws -> TranscodeOptions {
    var source = inputArguments.options(for: input)
    source.deinterlacing = repair.deinterlace
    source.decoderThreads = engine.threads ?? 0
    source.isLive = true
    source.network = try NetworkAddress(input)
    try checkOptions(for: source.network)
    source.listens = network.listen
    source.reconnections = network.reconnect
    source.feedsStandardOutput = output.asOutput.isStandardStream
    var target = OutputOptions(output.asOutput, size: size.outputSize(modelScale: family.scale))
    target.network = try NetworkAddress(output)
    let usual = output.asOutput.isStandardStream ? "mpegts" : target.network?.usualFormat
    target.format = format ?? usual
    target.overwrite = overwrite
    target.neverReplaced = engine.files(of: family)
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

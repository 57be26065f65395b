internal import Engine
internal import FFmpegC

/// A run before it starts: everything is open but the output.
struct OpenedTranscode: ~Copyable {
  let plan: TranscodePlan
  let info: MediaInfo
  let totalFrames: Int?

  /// The first time stamp of the stream that is upscaled.
  var start: Duration { input.start }

  /// The time from picture to picture, by what the input says.
  var frameInterval: Duration { .seconds(1 / max(input.first.frameRate.value, 1e-3)) }

  /// Where the run keeps what it has finished.
  let work: WorkFolder?

  /// How many frames a live run holds that may leave some out; 0 for others.
  let framesOnTheirWay: Int

  /// How many results of the engine may wait there besides those that the engine plans with.
  let resultsWaiting: Int
  private let options: TranscodeOptions
  private let check: OutputCheck
  private let output: OutputPlan
  private let input: OpenedInput
  private let encoder: Encoder
  private let fromImage: FromImage

  init(
    _ options: TranscodeOptions,
    _ cancellation: Cancellation,
    _ engine: EngineNeeds.Choice,
  ) throws(MediaError) {
    let input = try OpenedInput(
      options.input,
      cancellation,
      beginning: options.part.frames == nil ? options.part.start : nil
    )
    let totalFrames = input.demuxer.frameCount(of: input.stream).map {
      options.part.count(of: $0, frameRate: input.first.frameRate)
    }
    let check = OutputCheck(
      overwrite: options.output.overwrite || options.work.hasMade(options.output.path),
      inputs: input.demuxer.file.identities,
      neverReplaced: options.output.neverReplaced,
    )
    if let names = options.output.pictureNames {
      try check.check(names, pictures: totalFrames ?? 1)
    } else if options.output.network == nil {
      try check.check(options.output.path)
    }
    var output = try OutputPlan(options, input)
    let engine = try output.needs(of: engine, enlarging: input.first.uprightSize)
    let onTheirWay = options.live.map { options.framesOnTheirWay(input.first, $0) } ?? 0
    let results = options.resultsWaiting(of: onTheirWay, byteCount: engine.resultMemory)
    let waiting = onTheirWay * input.first.imageByteCount + results * engine.resultMemory
    let others =
      waiting + input.first.decoderByteCount(threads: options.input.decoderThreads)
      + engine.leastMemory
    output.limitMemory(to: min(options.memory / 2, max(options.memory - others, 0)))
    let encoder = try Encoder(output.candidate, output.encoder)
    let work = try options.work(input, output, encoder, engine, cancellation)
    let notices =
      try options.workNotices(work, input, output, encoder, engine)
      + options.paceNotices(isFile: input.demuxer.file.size != nil)
    fromImage = try FromImage(output.encoder.target, sourceDepth: input.first.layout.depth)
    plan = TranscodePlan(
      output,
      input.first,
      decoderThreads: options.input.decoderThreads,
      waitingByteCount: waiting,
      storedFrames: work?.storedFrames ?? 0,
      notices: notices,
    )
    info = input.info
    self.totalFrames = totalFrames
    framesOnTheirWay = onTheirWay
    resultsWaiting = results
    self.work = work
    self.check = check
    self.options = options
    self.output = output
    self.input = input
    self.encoder = encoder
  }

  /// Creates the output and starts every stage.
  consuming func start(
    _ flow: Flow,
    _ admission: Admission,
    _ cancellation: Cancellation,
  ) throws(MediaError) {
    flow.markStart()
    try work?.create()
    let (timeBase, leastDistance) = (output.encoder.timeBase, output.encoder.leastDistance)
    let picture = output.streams.outputs[input.stream] ?? 0
    try startWriting(flow, cancellation, picture)
    flow.group.start(
      EncodeStage(
        SegmentedEncoder(encoder, output.candidate, output.encoder, work: work),
        fromImage,
        stream: picture,
        leastDistance: leastDistance,
        countsPictures: output.fillsPauses,
        window: flow.window,
        frames: flow.frames,
        output: flow.output,
        group: flow.group,
        counters: flow.counters
      ),
      flow.encodeMeter,
      .abandoned
    )
    flow.group.start(
      DecodeStage(
        input.pictures,
        changes: PictureChanges(
          target: output.encoder.target.layout,
          firstIsTransparent: input.first.isTransparent,
          losses: input.first.laterLosses(output.candidate.profile)
        ),
        timeBase: timeBase,
        fillsPauses: output.fillsPauses,
        target: output.encoder.target,
        takesDynamicLight: output.candidate.profile.takesDynamicLight,
        carried: output.candidate.profile.carried,
        options: options,
        window: flow.window,
        work: work,
        admission: admission,
        packets: flow.packets,
        frames: flow.frames,
        counters: flow.counters
      ),
      flow.decodeMeter,
      .abandoned
    )
    flow.group.start(
      DemuxStage(
        input.demuxer,
        held: input.held,
        input: options.input,
        streams: output.streams,
        window: flow.window,
        pictures: flow.packets,
        output: flow.output,
        counters: flow.counters
      ),
      flow.readMeter,
      .awaited
    )
  }

  private func startWriting(
    _ flow: Flow,
    _ cancellation: Cancellation,
    _ picture: Int,
  ) throws(MediaError) {
    let path = options.output.path
    guard let format = output.format else {
      return start(PictureFiles(path, check, cancellation: cancellation), flow, picture)
    }
    let file = try outputFile(format, cancellation)
    let settings = MuxerSettings(
      path: path,
      format: format,
      streams: output.streams,
      frameRate: output.encoder.frameRate,
      pixelShape: output.encoder.pixelShape,
      pictureData: input.first.light + input.first.view.filter { format.tells(view: $0) },
      playCount: PlayCount(of: input.demuxer, stream: input.stream),
      verifies: options.verifies,
      isLive: options.live != nil,
      network: options.output.network,
      cancellation: cancellation,
      timeOffset: flow.window.estimatedOffset(frameRate: output.encoder.frameRate),
      end: flow.window.estimatedEnd(frameRate: output.encoder.frameRate),
    )
    start(try Muxer(settings, file: file, demuxer: input.demuxer, encoder: encoder), flow, picture)
  }

  private func outputFile(
    _ format: OutputFormat,
    _ cancellation: Cancellation,
  ) throws(MediaError) -> OutputFile? {
    guard !format.hasNoFile else { return nil }
    if let network = options.output.network {
      return try OutputFile(network, cancellation: cancellation)
    }
    return try OutputFile(
      options.output.path,
      overwrite: check.overwrite,
      cancellation: cancellation,
      work: work,
    )
  }

  // Their numbers in the output.
  private func copies(of type: AVMediaType) -> Set<Int> {
    var numbers: Set<Int> = []
    for (index, number) in output.streams.outputs.enumerated() where index != input.stream {
      let stream = unsafe input.demuxer.stream(index)
      guard let number, unsafe stream.pointee.codecpar.pointee.codec_type == type else { continue }
      numbers.insert(number)
    }
    return numbers
  }

  private func start(
    _ sink: consuming some PacketSink & ~Copyable,
    _ flow: Flow,
    _ picture: Int,
  ) {
    let stage = MuxStage(
      sink,
      picture: picture,
      subtitles: copies(of: AVMEDIA_TYPE_SUBTITLE),
      films: options.part.beginsInside ? copies(of: AVMEDIA_TYPE_VIDEO) : [],
      options: options,
      window: flow.window,
      packets: flow.output,
      group: flow.group,
      counters: flow.counters,
      delays: flow.delays
    )
    flow.group.start(stage, flow.writeMeter, .awaited)
  }
}

extension TranscodeOptions {
  // Of the memory that may be used, the rest is for the engine, the decoder and the encoder.
  private static let waitingShare = 4
  private static let resultShare = 8
  private static let mostWaitingBytes = 256 << 20

  /// How many pictures of the source are on their way when each takes as long as it may: twice as many as
  /// come in that time, because some come in groups, but no more than memory is meant for.
  fileprivate func framesOnTheirWay(_ source: SourcePicture, _ live: LiveOptions) -> Int {
    guard live.overload != .block else { return 0 }
    let frames = live.maximumDelay / .seconds(1) * source.frameRate.value * 2
    let most = min(Self.mostWaitingBytes, memory / Self.waitingShare) / source.imageByteCount
    return 8 + min(Int(frames.rounded(.up)), most)
  }

  /// What a person should know about the pace at which pictures come.
  fileprivate func paceNotices(isFile: Bool) -> [Notice] {
    guard isFile, let overload = live?.overload, overload != .block else { return [] }
    let text =
      "a file is read as fast as it can be, so --on-overload \(overload.rawValue) finds most of its "
      + "pictures late; without it all are enlarged"
    return [.warning(text)]
  }

  /// How many of so many frames may be enlarged already, each of so many bytes.
  fileprivate func resultsWaiting(of frames: Int, byteCount: Int) -> Int {
    byteCount > 0 ? min(frames, memory / Self.resultShare / byteCount) : frames
  }
}

extension SourcePicture {
  /// The memory of the upright picture as the engine takes it.
  fileprivate var imageByteCount: Int {
    Image.byteCount(width: uprightSize.width, height: uprightSize.height)
  }
}

extension OutputPlan {
  /// What the engine needs that makes pictures of the output's size of those of the source's.
  fileprivate func needs(
    of engine: EngineNeeds.Choice,
    enlarging source: (width: Int, height: Int),
  ) throws(MediaError) -> EngineNeeds {
    let target = encoder.target
    do throws(EngineError) {
      // Without what is added for the encoder, which no network makes.
      return try engine(source, (target.width, target.height))
    } catch {
      throw MediaError(.engine(error), .upscale, "picture", "\(error)")
    }
  }
}

extension TranscodePlan {
  fileprivate init(
    _ output: OutputPlan,
    _ source: SourcePicture,
    decoderThreads: Int,
    waitingByteCount: Int,
    storedFrames: Int,
    notices: [Notice],
  ) {
    self.storedFrames = storedFrames
    self.notices = output.notices + notices
    sourceWidth = source.uprightSize.width
    sourceHeight = source.uprightSize.height
    (width, height) = output.encoder.target.codedSize
    codec = output.candidate.profile.name
    pixelFormat = output.encoder.target.layout.name
    format = output.format?.name ?? "image files"
    outputStreams = output.streams.outputs
    byteCount =
      waitingByteCount + source.decoderByteCount(threads: decoderThreads)
      + EncoderMemory(output.candidate.profile, output.encoder).byteCount
  }
}

extension Part {
  /// About how many of `total` frames are kept.
  fileprivate func count(of total: Int, frameRate: Rational) -> Int {
    let whole = 0..<max(total, 0)
    func number(at time: Duration) -> Int {
      Int(exactly: (time / .seconds(1) * frameRate.value).rounded()) ?? whole.upperBound
    }
    let first = start.map(number) ?? 0
    let last = max(end.map(number) ?? whole.upperBound, first)
    return (frames ?? whole).clamped(to: whole).clamped(to: first..<last).count
  }
}

extension SourcePicture {
  /// The pictures that a decoder keeps, at most: sixteen to refer to, one for each thread, and those that
  /// wait to be shown or converted.
  fileprivate func decoderByteCount(threads: Int) -> Int {
    let threads = threads > 0 ? threads : min(Machine.processorCount + 1, 16)
    return (threads + 24) * layout.byteCount(width: width, height: height)
  }
}

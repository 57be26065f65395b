internal import Engine
internal import Pipeline

/// What a run did, for programs: counts, and what became of every stream.
struct RunRecord: Encodable {
  let input: String
  let output: String
  /// The weights that were used, a live run's best ones, by their bundled name or path.
  let model: String
  let modelScale: Int
  let precision: String
  let framesRead: Int
  let framesWritten: Int
  let framesStored: Int
  let framesDamaged: Int
  let framesDeinterlaced: Int
  let framesRepeated: Int
  /// The part of the pictures handed to the engine that was copied from the one before, 0 to 1.
  let areaReused: Double
  let otherDamage: Int
  let packetsLost: Int
  let timesRepaired: Int
  let bytesWritten: Int
  let seconds: Double
  let warnings: [String]
  let live: Live?
  let streams: [Stream]

  /// A way in which a live run enlarged frames.
  struct Rung: Encodable {
    let model: String
    let precision: String
    let frames: Int

    init(_ rung: EngineLadder.Rung, frames: Int) {
      model = rung.model.name
      precision = rung.precision.argument
      self.frames = frames
    }
  }

  /// What a live run did with its frames; delays in milliseconds.
  struct Live: Encodable {
    let framesUpscaled: Int
    let framesResized: Int
    let framesDropped: Int
    let framesLate: Int
    let rungs: [Rung]
    let switches: Int
    let delayP50: Double
    let delayP99: Double
    let delayMax: Double

    init(_ report: LiveReport, _ rungs: [EngineLadder.Rung]) {
      framesUpscaled = report.upscaled
      framesResized = report.resized
      framesDropped = report.dropped
      framesLate = report.late
      self.rungs = rungs.indices.map { Rung(rungs[$0], frames: report.frames(onRung: $0)) }
      switches = report.switches
      delayP50 = report.medianDelay.seconds * 1000
      delayP99 = report.longDelay.seconds * 1000
      delayMax = report.longestDelay.seconds * 1000
    }
  }

  /// A stream of the input; `output` is its number in the output, null when it was left out.
  struct Stream: Encodable {
    let input: Int
    let output: Int?
    let kind: String
    let codec: String
    let action: String

    private enum CodingKeys: CodingKey { case input, output, kind, codec, action }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(input, forKey: .input)
      try container.encode(output, forKey: .output)
      try container.encode(kind, forKey: .kind)
      try container.encode(codec, forKey: .codec)
      try container.encode(action, forKey: .action)
    }
  }

  init(
    _ report: TranscodeReport,
    of transcode: Transcode,
    by upscalers: [Upscaler],
    ways: EngineLadder? = nil,
    input: MediaPath,
    output: MediaPath,
  ) {
    self.input = input.text
    self.output = output.text
    model = upscalers[0].model.name
    modelScale = upscalers[0].model.scale
    precision = upscalers[0].precision.argument
    framesRead = report.framesDecoded
    framesWritten = report.progress.frames
    framesStored = report.progress.storedFrames
    framesDamaged = report.damagedPictures
    framesDeinterlaced = report.deinterlacedCount
    framesRepeated = report.repeatedCount
    areaReused = upscalers.reusedShare
    otherDamage = report.damagedPackets
    packetsLost = report.droppedPackets
    timesRepaired = report.repairedTimes
    bytesWritten = report.progress.byteCount
    seconds = report.progress.elapsed.seconds
    live = report.progress.live.map { Live($0, ways?.rungs ?? []) }
    let notices = transcode.plan.notices + (ways?.notices ?? []) + report.notices
    warnings = notices.filter { $0.level == .warning }.map(\.text)
    streams = zip(transcode.input.streams, transcode.plan.outputStreams).map { stream, number in
      let isPicture = stream.index == transcode.input.pictureStream
      return Stream(
        input: stream.index,
        output: number,
        kind: stream.kind,
        codec: stream.codec,
        action: number == nil ? "left out" : isPicture ? "upscaled" : "copied",
      )
    }
  }
}

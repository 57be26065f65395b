internal import FFmpegC

// Which job a work folder belongs to.
extension TranscodeOptions {
  /// The work folder of this run; `nil` when it keeps nothing.
  ///
  /// - Throws: A ``MediaError`` of kind `usage` when there can be none, and those of ``WorkFolder``.
  func work(
    _ input: borrowing OpenedInput,
    _ output: OutputPlan,
    _ encoder: borrowing Encoder,
    _ engine: EngineNeeds,
    _ cancellation: Cancellation,
  ) throws(MediaError) -> WorkFolder? {
    guard work.isKept else { return nil }
    if let reason = whyNotContinuable(input, output) {
      throw MediaError(.usage, .use, "--resume", reason)
    }
    return try WorkFolder(
      work,
      output: self.output.path,
      input: Fingerprint.facts(of: input.demuxer.file, self.input.path),
      facts: facts(input, output, encoder, engine),
      segmentLength: segmentLength(input, engine),
      cancellation
    )
  }

  /// What a person should know about work: that of this run, or that which an earlier run left.
  func workNotices(
    _ folder: WorkFolder?,
    _ input: borrowing OpenedInput,
    _ output: OutputPlan,
    _ encoder: borrowing Encoder,
    _ engine: EngineNeeds,
  ) throws(MediaError) -> [Notice] {
    if let folder { return folder.notices }
    let path = work.folder(for: self.output.path)
    guard whyNotContinuable(input, output) == nil, let left = WorkState(reading: path),
      left.frameCount > 0,
      try left.input == Fingerprint.facts(of: input.demuxer.file, self.input.path),
      left.facts == facts(input, output, encoder, engine)
    else { return [] }
    return [
      .warning(
        "an earlier run left \(left.frameCount) frames in \(path.quoted); "
          + "--resume continues it, this run begins anew"
      )
    ]
  }

  private func whyNotContinuable(
    _ input: borrowing OpenedInput,
    _ output: OutputPlan,
  ) -> String? {
    guard input.demuxer.file.isSeekable else {
      return "the input must be one file, to be read again"
    }
    guard let format = output.format, !format.hasNoFile,
      !OutputFile.isWrittenDirectly(self.output.path)
    else { return "the output must be a video file" }
    // Their first packet is another than the first of a later encoder.
    guard !["gif", "apng"].contains(format.name) else {
      return "animations of \(format.name) are written in one go"
    }
    // Its packets are pictures in memory.
    guard output.candidate.profile.name != "wrapped_avframe" else {
      return "\(format.name) is for pipes"
    }
    return nil
  }

  private func segmentLength(_ input: borrowing OpenedInput, _ engine: EngineNeeds) -> Int {
    let size = input.first.uprightSize
    let pixelCount = Double(size.width * size.height)
    return work.segmentLength(multiplications: engine.multiplicationsPerPixel * pixelCount)
  }

  /// Everything but the input's file that decides on the packets of the upscaled stream.
  private func facts(
    _ input: borrowing OpenedInput,
    _ output: OutputPlan,
    _ encoder: borrowing Encoder,
    _ engine: EngineNeeds,
  ) -> [WorkOptions.Fact] {
    let settings = output.encoder
    let libraries = MediaLibraries.versions.map { "\($0.name) \($0.version)" }
    let size = settings.target.codedSize
    return engine.facts + [
      WorkOptions.Fact("libraries", libraries.joined(separator: ", ")),
      WorkOptions.Fact("input options", self.input.summary),
      WorkOptions.Fact("part", part.summary),
      WorkOptions.Fact(
        "reuse of repeated pictures",
        repeatTolerance.map { "within \($0)" } ?? "none"
      ),
      WorkOptions.Fact("format", output.format?.name ?? "none"),
      WorkOptions.Fact("picture size", "\(size.width)x\(size.height)"),
      WorkOptions.Fact("pixel format", settings.target.layout.name),
      WorkOptions.Fact("codec", output.candidate.profile.name),
      WorkOptions.Fact("encoder options", settings.options.summary),
      WorkOptions.Fact(
        "times in",
        "\(settings.timeBase.numerator)/\(settings.timeBase.denominator)"
      ),
      WorkOptions.Fact("encoder header", Fingerprint.digest(encoder.header)),
      WorkOptions.Fact("segments of", "\(segmentLength(input, engine)) frames"),
    ]
  }
}

extension WorkOptions {
  /// Whether a run that keeps its work made the file at `output`, and was killed before it had removed its
  /// work.
  func hasMade(_ output: MediaPath) -> Bool {
    isKept && WorkState(reading: folder(for: output))?.hasMade(output) ?? false
  }
}

extension WorkFolder {
  fileprivate var notices: [Notice] {
    var notices: [Notice] = []
    if lostFrames > 0 {
      notices.append(
        .warning(
          "\(lostFrames) frames of earlier work in \(path.quoted) are damaged, and made again"
        )
      )
    }
    if storedFrames > 0 {
      notices.append(.detail("continues after \(storedFrames) frames in \(path.quoted)"))
    }
    return notices + [.detail("keeps every \(segmentLength) frames in \(path.quoted)")]
  }
}

extension InputOptions {
  fileprivate var summary: String {
    let rate = frameRate.map { "\($0.numerator)/\($0.denominator)" }
    let given = [format, rate, videoSize, pixelFormat].map { $0 ?? "-" }
    return (given + ["deinterlace \(deinterlacing)"]).joined(separator: " ")
  }
}

extension EncoderOptions {
  fileprivate var summary: String {
    let given = [crf.map { "crf=\($0)" }, preset.map { "preset=\($0)" }, "threads=\(threads)"]
    return (given.compactMap(\.self) + options.map { "\($0.key)=\($0.value)" })
      .joined(separator: " ")
  }
}

extension Part {
  fileprivate var summary: String {
    let limits = [
      start.map { "from \($0)" }, end.map { "to \($0)" }, frames.map { "frames \($0)" },
    ]
    let given = limits.compactMap(\.self)
    return given.isEmpty ? "all" : given.joined(separator: " ")
  }
}

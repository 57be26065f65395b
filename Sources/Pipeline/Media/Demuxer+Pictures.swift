internal import FFmpegC

// Which stream holds the film, and what its header says about it.
extension Demuxer {
  /// The stream whose pictures are the film: the default one, or else the largest; never covers or thumbnails.
  func pictureStream() throws(MediaError) -> Int {
    var best: (index: Int, score: Int)?
    for index in 0..<streamCount {
      guard let score = score(ofPictures: index) else { continue }
      if score > best?.score ?? -1 { best = (index, score) }
    }
    guard let best else {
      throw MediaError(.refused, .decode, path.quoted, "there is no video in it")
    }
    return best.index
  }

  private func score(ofPictures index: Int) -> Int? {
    let parameters = unsafe stream(index).pointee.codecpar.pointee
    guard unsafe parameters.codec_type == AVMEDIA_TYPE_VIDEO, unsafe !stream(index).isCover,
      unsafe !stream(index).holdsThumbnails
    else { return nil }
    let isDefault = unsafe stream(index).pointee.disposition & AV_DISPOSITION_DEFAULT != 0
    // Above any number of pixels.
    return unsafe (isDefault ? 1 << 62 : 0) + Int(parameters.width) * Int(parameters.height)
  }

  /// Continues at the last key frame before `time`, if the format has an index that can be trusted.
  func skip(to time: Duration, _ index: Int) {
    let format = unsafe String(cString: native.pointee.iformat.pointee.name)
    guard file.isSeekable, format.hasPrefix("mov") || format.hasPrefix("matroska") else { return }
    let ticks = unsafe time.ticks(of: Rational(stream(index).pointee.time_base))
    // Where it fails, reading goes on from the beginning, which only takes longer.
    unsafe avformat_seek_file(native, Int32(index), .min, ticks, ticks, 0)
  }

  /// The first time stamp of the stream; zero when the file does not say.
  func start(of index: Int) -> Duration {
    let stream = unsafe stream(index).pointee
    guard unsafe stream.start_time != FFMPEGC_NOPTS else { return .zero }
    return unsafe Timestamp(ticks: stream.start_time, timeBase: Rational(stream.time_base)).duration
  }

  /// The usual number of frames per second.
  func frameRate(of index: Int) -> Rational {
    let stream = unsafe stream(index).pointee
    let average = unsafe Rational(stream.avg_frame_rate)
    if average.isPositive && isRate(average, of: index) { return average }
    // 300: above it the "rate" of files with irregular times is only the clock they count by.
    let candidates = [average, unsafe Rational(stream.r_frame_rate)]
    return candidates.first { $0.isPositive && $0.value <= 300 } ?? Rational(25, 1)
  }

  /// The lowest rate that has a place for every frame, as far as libav can tell.
  func finestRate(of index: Int) -> Rational? {
    let rate = unsafe Rational(stream(index).pointee.r_frame_rate)
    // 300: as above.
    return rate.isPositive && rate.value <= 300 ? rate : nil
  }

  /// The rate by which frames are counted in a stream of `average` frames per second, if each keeps its time.
  func countableRate(of index: Int, average: Rational) -> Rational {
    guard let finest = finestRate(of: index), finest.value > average.value else { return average }
    // Of interlaced pictures the fields are counted, two of each.
    let isUsual = [1, 0.5].contains { abs(average.value / (finest.value * $0) - 1) < 0.01 }
    return isUsual ? average : finest
  }

  // Whether so many frames a second are those that the file counts: slow motion has hundreds.
  private func isRate(_ rate: Rational, of index: Int) -> Bool {
    let stream = unsafe stream(index).pointee
    let (count, duration) = unsafe (Double(stream.nb_frames), stream.duration)
    guard count > 1, duration > 0, duration != FFMPEGC_NOPTS else { return false }
    let seconds = unsafe Double(duration) * Rational(stream.time_base).value
    return abs(count / seconds / rate.value - 1) < 0.01
  }

  /// How many frames the stream has; `nil` when the file does not say.
  func frameCount(of index: Int) -> Int? {
    // A sequence has a picture in each file.
    if file.pathCount > 1 { return file.pathCount }
    let stream = unsafe stream(index).pointee
    if unsafe stream.nb_frames > 0 { return unsafe believable(Double(stream.nb_frames)) }
    let duration: Double
    if unsafe stream.duration != FFMPEGC_NOPTS {
      duration = unsafe Double(stream.duration) * Rational(stream.time_base).value
    } else if unsafe native.pointee.duration != FFMPEGC_NOPTS {
      duration = unsafe Double(native.pointee.duration) / Double(AV_TIME_BASE)
    } else {
      return nil
    }
    return believable(duration * frameRate(of: index).value)
  }

  // A thousand years; more is no number to reckon with.
  private func believable(_ count: Double) -> Int? {
    count < 1e12 ? Int(exactly: count.rounded()) : nil
  }
}

internal import FFmpegC

/// Which pictures are taken for two fields and made whole.
public enum Deinterlacing: String, Sendable, CaseIterable {
  /// Those that the decoder says are interlaced.
  case auto

  /// None.
  case off

  /// All.
  case on
}

/// Makes whole pictures of interlaced ones with libavfilter's bwdif; all others pass untouched.
///
/// The filter looks at the picture before and the one after, so from the first interlaced picture
/// on each one leaves when the next has entered.
struct Deinterlacer: ~Copyable {
  /// Pictures that were made whole.
  private(set) var count = 0

  private let policy: Deinterlacing
  private let timeBase: Rational
  private var filter: FilterGraph?
  private var format: Format?
  private var isDraining = false

  // A picture that passes by, or waits until the filter for another format is empty.
  private var waiting: Frame?

  private struct Format: Hashable {
    let width: Int
    let height: Int
    let layout: Int32
  }

  init(_ policy: Deinterlacing, timeBase: Rational) {
    self.policy = policy
    self.timeBase = timeBase
  }

  /// Hands over a picture; every picture that is ready must be received before the next.
  mutating func send(_ frame: consuming Frame) throws(MediaError) {
    let format = Format(width: frame.width, height: frame.height, layout: frame.format.rawValue)
    if filter != nil, format != self.format {
      try finish()
      waiting = consume frame
    } else if filter != nil || isWanted(frame) {
      try pass(frame, format)
    } else {
      waiting = consume frame
    }
  }

  /// Says that no picture follows.
  mutating func finish() throws(MediaError) {
    isDraining = filter != nil
    try filter?.finish()
  }

  /// The next picture, or `nil` when more are wanted or there are none left.
  mutating func receive() throws(MediaError) -> Frame? {
    if let frame = try filter?.receive() { return frame }
    if isDraining {
      filter = nil
      isDraining = false
      if let frame = waiting.take() { try send(frame) }
      if filter != nil { return nil }
    }
    return waiting.take()
  }

  private mutating func pass(_ frame: consuming Frame, _ format: Format) throws(MediaError) {
    if filter == nil {
      let arguments = policy == .on ? "deint=all" : "deint=interlaced"
      filter = try FilterGraph(
        "bwdif",
        "mode=send_frame:" + arguments,
        for: frame,
        timeBase: timeBase
      )
      self.format = format
    }
    if isWanted(frame) { count += 1 }
    frame.timeForFilters()
    try filter?.send(frame)
  }

  private func isWanted(_ frame: borrowing Frame) -> Bool {
    guard Deinterlacer.accepts(frame) else { return false }
    return policy == .on || (policy == .auto && frame.isInterlaced)
  }

  // bwdif refuses planes of less than three columns or four rows; those of chroma are the smallest.
  private static func accepts(_ frame: borrowing Frame) -> Bool {
    guard let shift = PixelLayout(frame.format)?.chromaShift else { return false }
    let columns = (frame.width - 1) >> shift.x + 1
    let rows = (frame.height - 1) >> shift.y + 1
    return columns >= 3 && rows >= 4
  }
}

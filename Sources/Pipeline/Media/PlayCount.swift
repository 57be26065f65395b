internal import FFmpegC

/// How many times an animation is played, which GIF and APNG say and films do not.
struct PlayCount: Equatable {
  /// 0 for ever.
  let times: Int

  private static let forEver = PlayCount(times: 0)

  // What comes before the first picture of a GIF: the colours, and hardly ever more than these two names.
  private static let beginning = 4096
  private static let extensions = ["NETSCAPE2.0", "ANIMEXTS1.0"].map { Array($0.utf8) }

  init(times: Int) {
    self.times = times
  }

  /// What the file says; for ever where it is no animation.
  init(of demuxer: borrowing Demuxer, stream: Int) {
    let parameters = unsafe present(demuxer.stream(stream).pointee.codecpar).pointee
    switch unsafe parameters.codec_id {
    case AV_CODEC_ID_GIF:
      let size = min(demuxer.file.size ?? 0, PlayCount.beginning)
      // Other containers hold such pictures too.
      let bytes = demuxer.file.beginning(size).flatMap { $0.starts(with: "GIF8".utf8) ? $0 : nil }
      self = bytes.map { PlayCount(ofGIF: $0) } ?? .forEver
    case AV_CODEC_ID_APNG:
      let count = unsafe Int(parameters.extradata_size)
      self = unsafe PlayCount(
        ofChunks: UnsafeBufferPointer(start: parameters.extradata, count: count)
      )
    default: self = .forEver
    }
  }

  /// Reads GIF89a with what Netscape added, how many times it begins again, 0 for ever; once where nothing is said.
  init(ofGIF bytes: [UInt8]) {
    var rest = GIFBlocks(bytes)
    while let block = rest.nextExtension() {
      guard block.label == 0xFF, let name = block.parts.first,
        let data = block.parts.dropFirst().first,
        PlayCount.extensions.contains(name), data.count == 3, data[0] == 1
      else { continue }
      let repeats: Int = data[1...].littleEndian()
      self.init(times: repeats == 0 ? 0 : repeats + 1)
      return
    }
    self.init(times: 1)
  }

  // APNG's specification, acTL: a length, the name, how many pictures, how many times.
  private init(ofChunks bytes: UnsafeBufferPointer<UInt8>) {
    let chunks = unsafe PNGText.chunks(bytes).map { unsafe Array(bytes[$0]) }
    let control = chunks.first { $0.count >= 16 && $0[4..<8].elementsEqual("acTL".utf8) }
    self.init(times: control?[12..<16].bigEndian() ?? 0)
  }

  /// As FFmpeg's muxer of GIF takes it: how many times it begins again, 0 for ever and -1 for never.
  var gifLoop: String { times == 0 ? "0" : times == 1 ? "-1" : "\(min(times - 1, 65535))" }

  /// As FFmpeg's muxer of APNG takes it.
  var apngPlays: String { "\(min(times, 65535))" }
}

/// The extensions of a GIF before its first picture.
private struct GIFBlocks {
  private var rest: ArraySlice<UInt8>

  /// A label, and parts of up to 255 bytes.
  typealias Block = (label: UInt8, parts: [[UInt8]])

  init(_ bytes: [UInt8]) {
    // Behind name, size and table of colours.
    let flags = bytes.count >= 13 ? bytes[10] : 0
    rest = bytes.dropFirst(13 + (flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1)))
  }

  mutating func nextExtension() -> Block? {
    guard rest.first == 0x21, let label = rest.dropFirst().first else { return nil }
    rest = rest.dropFirst(2)
    var parts: [[UInt8]] = []
    while let count = rest.popFirst(), count > 0 {
      parts.append(Array(rest.prefix(Int(count))))
      rest = rest.dropFirst(Int(count))
    }
    return (label, parts)
  }
}

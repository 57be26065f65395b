internal import FFmpegC

/// Which stream of a file is meant: its kind, and how many of that kind come before it.
///
/// Numbers will not do: some containers give streams other numbers than they were written with.
struct StreamPlace: Hashable {
  private let kind: Kind
  private let order: Int

  private struct Kind: Hashable {
    let type: Int32

    /// Covers lie behind all others where a container keeps them among its tags; elsewhere they are
    /// streams like others.
    let isCover: Bool

    init(_ stream: UnsafeMutablePointer<AVStream>, coversLieApart: Bool) {
      isCover = unsafe coversLieApart && stream.isCover
      // Attached, a cover is a file when it is written and pictures when it is read.
      let kind = unsafe isCover ? AVMEDIA_TYPE_VIDEO : stream.pointee.codecpar.pointee.codec_type
      type = kind.rawValue
    }
  }

  /// The place of the stream with this number.
  init(
    _ index: Int,
    in context: UnsafeMutablePointer<AVFormatContext>,
    coversLieApart: Bool,
  ) {
    func kind(_ index: Int) -> Kind {
      unsafe Kind(present(context.pointee.streams[index]), coversLieApart: coversLieApart)
    }
    let mine = kind(index)
    self.kind = mine
    order = (0..<index).count { kind($0) == mine }
  }
}

extension StreamPlace: Comparable {
  static func < (a: StreamPlace, b: StreamPlace) -> Bool {
    (a.kind.type, a.order) < (b.kind.type, b.order)
  }
}

extension StreamPlace: CustomStringConvertible {
  /// As in `video stream 0`.
  var description: String {
    let type = unsafe av_get_media_type_string(AVMediaType(rawValue: kind.type))
    let name = unsafe type.map { unsafe String(cString: $0) } ?? "other"
    return "\(kind.isCover ? "cover" : name) stream \(order)"
  }
}

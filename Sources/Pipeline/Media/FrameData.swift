internal import FFmpegC

/// What a picture carries beside its samples and stays true when it is enlarged: closed captions, and the
/// profile of its colours.
struct FrameData: Hashable, Sendable {
  /// The kinds that there are.
  enum Kind: CaseIterable {
    /// EIA-608 and 708, as ATSC A/53 packs them.
    case captions

    /// An ICC profile.
    case profile
  }

  let kind: Kind
  let bytes: [UInt8]

  /// All that a decoded picture carries.
  static func all(of frame: borrowing Frame) -> [FrameData] {
    Kind.allCases.compactMap { kind in
      guard let data = unsafe av_frame_get_side_data(frame.native, kind.native) else { return nil }
      let bytes = unsafe UnsafeBufferPointer(start: data.pointee.data, count: data.pointee.size)
      return unsafe FrameData(kind: kind, bytes: Array(bytes))
    }
  }

  /// Whether it is no profile, or one of pictures with these colours.
  func fits(_ layout: PixelLayout) -> Bool {
    guard kind == .profile else { return true }
    // Bytes 16 to 19 of the header: the space of the samples that the profile describes.
    return bytes.dropFirst(16).prefix(4).elementsEqual(
      layout.family == .gray ? "GRAY".utf8 : "RGB ".utf8
    )
  }

  /// Lets a picture that is going to be encoded carry it too.
  func add(to frame: borrowing Frame) throws(MediaError) {
    let data = unsafe try allocated(
      av_frame_new_side_data(frame.native, kind.native, bytes.count),
      "side data"
    )
    for (index, byte) in bytes.enumerated() { unsafe data.pointee.data[index] = byte }
  }
}

extension FrameData.Kind {
  /// Whether a decoded picture carries it.
  func isIn(_ frame: borrowing Frame) -> Bool {
    unsafe av_frame_get_side_data(frame.native, native) != nil
  }

  fileprivate var native: AVFrameSideDataType {
    switch self {
    case .captions: AV_FRAME_DATA_A53_CC
    case .profile: AV_FRAME_DATA_ICC_PROFILE
    }
  }
}

internal import FFmpegC

/// What a stream says about its Dolby Vision data.
///
/// The data of each picture name places in it and belong to its size, so they do not fit an upscaled
/// picture, and FFmpeg 5.1 can neither change nor encode them.
struct DolbyVision: Hashable, Sendable {
  /// Whether the picture is made for Dolby Vision only: without the data its colours are wrong.
  let isNeeded: Bool

  /// `nil` if neither the header of the stream nor its first picture says anything.
  init?(_ header: [SideData], _ frame: borrowing Frame) {
    let configuration = header.first { $0.type == AV_PKT_DATA_DOVI_CONF }
    let inPicture = unsafe av_frame_get_side_data(frame.native, AV_FRAME_DATA_DOVI_RPU_BUFFER)
    guard unsafe configuration != nil || inPicture != nil else { return nil }
    // 5: the only profile in use whose pictures nothing else can show.
    isNeeded = configuration?.dolbyVisionProfile == 5
  }
}

extension SideData {
  fileprivate var dolbyVisionProfile: UInt8? {
    unsafe bytes.withUnsafeBytes { bytes in
      guard bytes.count >= MemoryLayout<AVDOVIDecoderConfigurationRecord>.size else { return nil }
      return unsafe bytes.loadUnaligned(as: AVDOVIDecoderConfigurationRecord.self).dv_profile
    }
  }
}

internal import FFmpegC

/// The libraries that read, convert and write media on this machine.
public enum MediaLibraries {
  /// Names and versions, for a report.
  public static var versions: [(name: String, version: String)] {
    unsafe [
      ("FFmpeg", String(cString: av_version_info())),
      ("libavformat", version(avformat_version())),
      ("libavcodec", version(avcodec_version())),
      ("libavutil", version(avutil_version())),
      ("libswscale", version(swscale_version())),
      ("zimg", zimgVersion),
    ]
  }

  /// Encoders that are known well, best first, and whether each is there.
  public static var encoders: [(name: String, isAvailable: Bool)] {
    EncoderProfile.all.map { unsafe ($0.name, avcodec_find_encoder_by_name($0.name) != nil) }
  }

  private static func version(_ version: UInt32) -> String {
    "\(version >> 16).\(version >> 8 & 0xFF).\(version & 0xFF)"
  }

  private static var zimgVersion: String {
    var (major, minor, micro): (UInt32, UInt32, UInt32) = (0, 0, 0)
    unsafe zimg_get_version_info(&major, &minor, &micro)
    return "\(major).\(minor).\(micro)"
  }
}

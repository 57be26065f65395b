/// The formats that input may have.
///
/// An allow-list, because some of libav's demuxers open further files and network addresses that
/// the input names (playlists, lists of files, session descriptions) or devices.
enum InputFormats {
  /// Formats of whole films, by the names of their demuxers.
  static let containers = [
    "aiff", "apng", "asf", "av1", "avi", "dirac", "dv", "flac", "flv", "gif", "gxf", "h263", "h264",
    "hevc", "ipu", "ivf", "live_flv", "lxf", "m4v", "matroska", "mjpeg", "mov", "mpeg", "mpegts",
    "mpegvideo", "mxf", "nsv", "nut", "obu", "ogg", "rawvideo", "rm", "swf", "vc1", "vc1test",
    "wav",
    "mp3", "aac", "ac3", "wtv", "yuv4mpegpipe",
  ]

  /// Demuxers of single pictures; several files after one another work as well.
  static let pictures = [
    "bmp", "dds", "dpx", "exr", "jpeg", "jpegls", "j2k", "jpegxl", "pam", "pbm", "pcx", "pfm",
    "pgm",
    "pgmyuv", "png", "ppm", "psd", "qoi", "sgi", "sunrast", "tiff", "webp", "xbm", "xpm",
  ].map { $0 + "_pipe" }

  /// The list as libav wants it.
  static let allowList = (containers + pictures).joined(separator: ",")

  /// Whether the demuxer of this name reads pictures that have no time of their own.
  static func isPicture(_ name: String) -> Bool {
    pictures.contains(name)
  }
}

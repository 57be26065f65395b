internal import FFmpegC
internal import Glibc

/// The log of FFmpeg's libraries, which nobody sees; errors quote its last line.
enum MediaLog {
  /// Keeps the libraries from printing; called before the first file is opened.
  static let silenced: Void = {
    // SVT-AV1 knows no log callback; 0 leaves fatal errors only. The user's own setting stays.
    unsafe setenv("SVT_LOG", "0", 0)
    ffmpegc_catch_log()
  }()
}

internal import Engine
internal import FFmpegC
internal import Glibc

/// The log of FFmpeg's libraries: silent unless somebody wants to read it.
public enum MediaLog {
  private static let reader = Monitor<(@Sendable (String) -> Void)?>(nil)

  /// Sends every warning and error of the libraries to `reader`, or to nobody.
  ///
  /// `reader` is called from any thread, with one line at a time and without its line break.
  public static func send(to reader: (@Sendable (String) -> Void)?) {
    Self.reader.withLock { $0 = reader }
    av_log_set_level(AV_LOG_WARNING)
    unsafe ffmpegc_set_log_sink(deliver)
  }

  /// Keeps the libraries from printing; called before the first file is opened.
  static let silenced: Void = {
    // SVT-AV1 knows no log callback; 0 leaves fatal errors only. The user's own setting stays.
    unsafe setenv("SVT_LOG", "0", 0)
    send(to: nil)
  }()

  private static let deliver: ffmpegc_log_sink = { _, line in
    guard let line = unsafe line else { return }
    let reader = MediaLog.reader.withLock { $0 }
    unsafe reader?(String(cString: line))
  }
}

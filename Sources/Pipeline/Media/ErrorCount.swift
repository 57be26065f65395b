internal import FFmpegC

/// Counts what libav logs as errors about one demuxer or decoder, on any of its threads.
///
/// Damage that libav works around, such as a concealed block or a file that ends too early, often
/// shows nowhere else.
@safe
struct ErrorCount: ~Copyable, @unchecked Sendable {
  // Safe to send: the count is atomic.
  private let native: OpaquePointer

  /// What a demuxer's or decoder's `opaque` has to hold; this value must outlive it.
  var opaque: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(native) }

  init() throws(MediaError) {
    unsafe native = try allocated(ffmpegc_error_count_create(), "error count")
  }

  deinit {
    unsafe ffmpegc_error_count_destroy(native)
  }

  /// The errors since the last call.
  func take() -> Int { unsafe Int(ffmpegc_error_count_take(native)) }
}

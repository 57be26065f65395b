internal import FFmpegC

/// Rearranges samples between packed and planar pixel formats, without changing their values.
///
/// swscale does it; the colours themselves are converted elsewhere.
@safe
struct Repacker: ~Copyable, @unchecked Sendable {
  // Safe to send: nothing else holds this pointer.
  private var context: OpaquePointer?

  init() {}

  deinit {
    unsafe sws_freeContext(context)
  }

  /// Writes the samples of `source` into `destination`, which has the same size.
  mutating func repack(
    _ source: borrowing Frame,
    into destination: borrowing Frame,
  ) throws(MediaError) {
    let from = unsafe source.native
    let to = unsafe destination.native
    unsafe context = sws_getCachedContext(
      context,
      from.pointee.width,
      from.pointee.height,
      source.format,
      to.pointee.width,
      to.pointee.height,
      destination.format,
      SWS_POINT | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT,
      nil,
      nil,
      nil,
    )
    guard unsafe context != nil else {
      throw MediaError(.refused, .convert, "picture", "pixel format not supported")
    }
    unsafe try check(sws_scale_frame(context, to, from), .convert, "picture")
  }
}

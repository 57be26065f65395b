internal import FFmpegC

/// What a muxer sends over connections that it opens by itself.
///
/// The first failure is kept: libav's muxer of HLS reports neither its last segment nor its playlist
/// as lost. A class because libav keeps the address of what it counts.
@safe
final class Deliveries {
  private let native: UnsafeMutablePointer<ffmpegc_deliveries>
  private let cancellation: Cancellation
  private let isUncounted: Bool

  /// Lets `muxer` connect to the host of `address`; this object must outlive it.
  init(
    to address: NetworkAddress,
    by muxer: UnsafeMutablePointer<AVFormatContext>,
    _ cancellation: Cancellation,
  ) {
    self.cancellation = cancellation
    // It opens its connection in another way than those that are counted.
    isUncounted = address.muxer == "rtsp"
    unsafe native = .allocate(capacity: 1)
    unsafe native.initialize(to: ffmpegc_deliveries())
    unsafe muxer.pointee.opaque = UnsafeMutableRawPointer(native)
    unsafe muxer.pointee.url = av_strdup(address.url)
    unsafe muxer.pointee.protocol_whitelist = av_strdup(address.scheme.protocols)
    unsafe muxer.pointee.io_open = ffmpegc_open_delivery
    unsafe muxer.pointee.io_close2 = ffmpegc_close_delivery
    unsafe muxer.pointee.interrupt_callback = NetworkConnection.interrupt(
      cancellation,
      writes: true
    )
  }

  deinit {
    unsafe native.deallocate()
  }

  /// The bytes that have left; of RTSP's packets without their headers.
  var byteCount: Int { unsafe Int(native.pointee.bytes) }

  /// Notes a packet of this size that the muxer has taken.
  func note(_ size: Int) {
    if isUncounted { unsafe native.pointee.bytes += Int64(size) }
    if byteCount > 0 { cancellation.noteSent() }
  }

  /// - Throws: A ``MediaError`` of kind `inputOutput` when something could not be sent.
  func check(_ path: MediaPath) throws(MediaError) {
    let code = unsafe native.pointee.failure
    guard code < 0 else { return }
    if let cancelled = cancellation.error { throw cancelled }
    throw MediaError(.inputOutput, .write, path.quoted, MediaError.reason(ofCode: code))
  }
}

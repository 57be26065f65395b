internal import FFmpegC
internal import Glibc

/// Bytes that come from one address in the network, or go there.
///
/// Used by one thread at a time; waiting ends when somebody asks for it.
@safe
final class NetworkConnection {
  private var native: UnsafeMutablePointer<AVIOContext>?
  private let cancellation: Cancellation
  private var transport: TransportSender?
  private let latency: Int

  // What the other side has announced; zero or less where it has not.
  private var size: Int64 = 0
  private var received: Int64 = 0

  /// Connects, or waits for the other side to connect if it `listens`.
  ///
  /// - Throws: A ``MediaError`` of kind `missing` for an input, `cannotCreate` for an output.
  init(
    _ address: NetworkAddress,
    writes: Bool,
    listens: Bool = false,
    _ cancellation: Cancellation,
  ) throws(MediaError) {
    MediaLog.silenced
    self.cancellation = cancellation
    transport = writes && address.scheme == .rtp ? TransportSender() : nil
    latency = address.latency
    unsafe native = nil
    var options = address.options(listens: listens)
    options["protocol_whitelist"] = address.scheme.protocols
    var interrupt = unsafe NetworkConnection.interrupt(cancellation, writes: writes)
    let flags = writes ? AVIO_FLAG_WRITE : AVIO_FLAG_READ
    ffmpegc_clear_last_error()
    let code = unsafe avio_open2(&native, address.url, flags, &interrupt, &options.native)
    if let cancelled = cancellation.error { throw cancelled }
    let name = MediaPath(address.url).quoted
    try check(code, writes ? .create : .open, name, kind: writes ? .cannotCreate : .missing)
    if !writes { size = unsafe avio_size(native) }
  }

  deinit { _ = close() }

  /// Ends libav's waiting when nothing more is wanted.
  static func interrupt(_ cancellation: Cancellation, writes: Bool) -> AVIOInterruptCB {
    let opaque = unsafe Unmanaged.passUnretained(cancellation).toOpaque()
    guard writes else {
      return unsafe AVIOInterruptCB(
        callback: { unsafe Cancellation.from($0).isInputOver ? 1 : 0 },
        opaque: opaque
      )
    }
    return unsafe AVIOInterruptCB(
      callback: { unsafe Cancellation.from($0).isOutputOver ? 1 : 0 },
      opaque: opaque
    )
  }

  /// Reads what there is, or waits for it: a count, or a negative code.
  func read(_ buffer: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
    let result = unsafe avio_read_partial(native, buffer, count)
    received += Int64(max(result, 0))
    return result
  }

  /// Whether everything was read that the other side has announced, as web servers do for a file.
  var isComplete: Bool { size > 0 && received >= size }

  /// Sends all of `buffer` at once: zero, or a negative code.
  func write(_ buffer: UnsafePointer<UInt8>, _ count: Int32) -> Int32 {
    let bytes = unsafe UnsafeBufferPointer(start: buffer, count: Int(count))
    guard let packets = unsafe transport?.packets(after: bytes, now: .now) else {
      return unsafe send(bytes)
    }
    for packet in packets {
      let code = unsafe packet.withUnsafeBufferPointer { unsafe send($0) }
      guard code >= 0 else { return code }
    }
    return 0
  }

  private func send(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
    unsafe avio_write(native, bytes.baseAddress, Int32(bytes.count))
    unsafe avio_flush(native)
    return unsafe native?.pointee.error ?? 0
  }

  /// Waits until the other side has handed on what was sent: with the connection SRT forgets what it still keeps.
  func drain() {
    let end = ContinuousClock.now + .milliseconds(latency)
    while !cancellation.isOutputOver, ContinuousClock.now < end { usleep(10_000) }
  }

  /// Sends what is left and disconnects: zero, or a negative code.
  func close() -> Int32 {
    unsafe native == nil ? 0 : avio_closep(&native)
  }

  /// The most bytes that are sent in one piece; zero for any number.
  var packetSize: Int32 { unsafe native?.pointee.max_packet_size ?? 0 }
}

extension Cancellation {
  fileprivate static func from(_ opaque: UnsafeMutableRawPointer?) -> Cancellation {
    unsafe Unmanaged.fromOpaque(present(opaque)).takeUnretainedValue()
  }
}

internal import Engine
internal import FFmpegC

/// Writes the packets of a segment into a file of its own.
///
/// Each packet is its times, flags and lengths as little-endian numbers, followed by its bytes and those
/// beside it: exactly what the encoder gave, which no container promises for every codec.
final class SegmentWriter {
  private let file: OutputFile
  private var digest = SHA256()
  private var frameCount = 0

  /// Begins the file that will appear at `path` when it is finished.
  init(_ path: MediaPath, _ cancellation: Cancellation) throws(MediaError) {
    file = try OutputFile(path, overwrite: true, cancellation: cancellation)
  }

  /// Adds a packet, which is one frame.
  func write(_ packet: borrowing Packet) throws(MediaError) {
    let bytes = unsafe SegmentRecord(packet).bytes + packet.bytes + packet.addition
    digest.update(bytes)
    try file.write(bytes)
    frameCount += 1
  }

  /// Puts the file on the disk under its name.
  ///
  /// - Returns: What it must be found to be before it is trusted.
  func finish() throws(MediaError) -> WorkState.Segment {
    try file.finish()
    return WorkState.Segment(
      frames: frameCount,
      bytes: file.byteCount,
      sha256: digest.hexadecimal
    )
  }
}

/// What is written before the bytes of a packet.
struct SegmentRecord {
  static let byteCount = 36

  let pts: Int64
  let dts: Int64
  let duration: Int64
  let flags: Int32
  let size: Int32
  let additionSize: Int32

  init(_ packet: borrowing Packet) {
    pts = unsafe packet.native.pointee.pts
    dts = unsafe packet.native.pointee.dts
    duration = unsafe packet.native.pointee.duration
    flags = unsafe packet.native.pointee.flags
    size = unsafe packet.native.pointee.size
    additionSize = unsafe Int32(clamping: packet.addition.count)
  }

  /// Reads the numbers back.
  init(_ bytes: [UInt8]) {
    func number<T: FixedWidthInteger>(_ offset: Int) -> T {
      unsafe bytes.withUnsafeBytes {
        unsafe T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self))
      }
    }
    pts = number(0)
    dts = number(8)
    duration = number(16)
    flags = number(24)
    size = number(28)
    additionSize = number(32)
  }

  var bytes: [UInt8] {
    func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
      unsafe withUnsafeBytes(of: number.littleEndian) { unsafe Array($0) }
    }
    return bytes(pts) + bytes(dts) + bytes(duration) + bytes(flags) + bytes(size)
      + bytes(additionSize)
  }
}

extension Packet {
  /// The bytes of the data.
  fileprivate var bytes: UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(start: native.pointee.data, count: byteCount)
  }
  /// The bytes that Matroska stores beside it: the transparency of VP8 and VP9.
  fileprivate var addition: UnsafeBufferPointer<UInt8> {
    var size = 0
    let data = unsafe av_packet_get_side_data(native, AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL, &size)
    return unsafe UnsafeBufferPointer(start: data, count: data == nil ? 0 : size)
  }
}

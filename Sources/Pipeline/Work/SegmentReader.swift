internal import Engine
internal import FFmpegC
internal import Glibc

/// Reads the packets of a segment back.
final class SegmentReader {
  private let path: MediaPath
  private let timeBase: Rational
  private let descriptor: Int32
  private var byteCount = 0
  private var frameCount = 0
  private var digest = SHA256()

  /// Opens the file at `path`, whose times are in `timeBase`.
  init(_ path: MediaPath, timeBase: Rational) throws(MediaError) {
    self.path = path
    self.timeBase = timeBase
    descriptor = unsafe open(path.bytes, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(.inputOutput, .open, path.quoted, errno: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// The next packet, or `nil` at the end of the file.
  ///
  /// - Throws: A ``MediaError`` of kind `inputOutput` when the file is cut off or cannot be read.
  func next() throws(MediaError) -> Packet? {
    let head = try bytes(SegmentRecord.byteCount)
    guard !head.isEmpty else { return nil }
    let record = SegmentRecord(head)
    guard head.count == SegmentRecord.byteCount, record.size >= 0, record.additionSize >= 0
    else { throw cutOff }
    let data = try bytes(Int(record.size))
    let addition = try bytes(Int(record.additionSize))
    guard data.count == Int(record.size), addition.count == Int(record.additionSize)
    else { throw cutOff }
    frameCount += 1
    let packet = try Packet.restored(record, data, addition)
    packet.timeBase = timeBase
    return packet
  }

  /// Whether the file is what it was when it was finished; reads all of it.
  static func isIntact(_ path: MediaPath, _ segment: WorkState.Segment) -> Bool {
    guard let reader = try? SegmentReader(path, timeBase: Rational(1, 1)) else { return false }
    do throws(MediaError) {
      while try reader.next() != nil {}
    } catch {
      return false
    }
    let found = WorkState.Segment(
      frames: reader.frameCount,
      bytes: reader.byteCount,
      sha256: reader.digest.hexadecimal
    )
    return found == segment
  }

  // Fewer bytes than asked for at the end of the file.
  private func bytes(_ count: Int) throws(MediaError) -> [UInt8] {
    let (bytes, failure) = readAll(count, of: descriptor, at: byteCount)
    guard failure == 0 else { throw .system(.inputOutput, .read, path.quoted, errno: failure) }
    byteCount += bytes.count
    digest.update(bytes)
    return bytes
  }

  private var cutOff: MediaError {
    MediaError(.inputOutput, .read, path.quoted, "it is cut off")
  }
}

extension Packet {
  /// A packet with the times of `record` and copies of `data` and of what lies beside it.
  ///
  /// No initializer: `self = packet` would destroy a `self` that was never made, for the reason given in
  /// `Decoder`; an optional variable has a default value.
  fileprivate static func restored(
    _ record: SegmentRecord,
    _ data: [UInt8],
    _ addition: [UInt8],
  ) throws(MediaError) -> Packet {
    let packet = try Packet()
    let native = unsafe packet.native
    unsafe try check(av_new_packet(native, record.size), .use, "packet", kind: .limit)
    unsafe data.withUnsafeBytes {
      unsafe UnsafeMutableRawBufferPointer(start: native.pointee.data, count: data.count)
        .copyMemory(from: $0)
    }
    unsafe native.pointee.pts = record.pts
    unsafe native.pointee.dts = record.dts
    unsafe native.pointee.duration = record.duration
    unsafe native.pointee.flags = record.flags
    if !addition.isEmpty { try packet.add(addition) }
    return packet
  }

  private func add(_ addition: [UInt8]) throws(MediaError) {
    let kind = AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL
    let copy = unsafe try allocated(
      av_packet_new_side_data(native, kind, addition.count),
      "packet"
    )
    unsafe copy.update(from: addition, count: addition.count)
  }
}

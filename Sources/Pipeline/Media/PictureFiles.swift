internal import FFmpegC

/// Writes each encoded picture into an image file of its own.
///
/// Every file gets its name when it is complete.
struct PictureFiles: ~Copyable, PacketSink {
  private let path: MediaPath
  private let names: PictureNames?
  private let overwrite: Bool
  private let cancellation: Cancellation
  private var count = 0
  private(set) var byteCount = 0
  let droppedPackets = 0
  let repairedTimes = 0

  /// Writes to `path`, or to many files if it holds a pattern such as `%04d`.
  init(_ path: MediaPath, overwrite: Bool, cancellation: Cancellation) {
    self.path = path
    self.overwrite = overwrite
    self.cancellation = cancellation
    names = PictureNames(path)
  }

  mutating func write(_ packet: consuming Packet) throws(MediaError) {
    count += 1
    if names == nil && count > 1 {
      let pattern = path.sibling(named: "%04d.\(path.pathExtension)").quoted
      throw MediaError(
        .usage,
        .write,
        path.quoted,
        "one file holds one picture; use a pattern such as \(pattern)"
      )
    }
    let file = try OutputFile(
      names?.path(count) ?? path,
      overwrite: overwrite,
      cancellation: cancellation
    )
    let code = unsafe file.write(packet.native.pointee.data, packet.native.pointee.size)
    if let cancelled = cancellation.error { throw cancelled }
    guard code >= 0 else { throw file.error(file.failure) }
    try file.finish()
    byteCount += file.byteCount
  }

  func finish() throws(MediaError) {}
}

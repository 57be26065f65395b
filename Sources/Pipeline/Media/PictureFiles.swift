internal import FFmpegC

/// Writes each encoded picture into an image file of its own.
///
/// Every file of a sequence gets its name when it is complete; a single file when no second picture
/// has come.
struct PictureFiles: ~Copyable, PacketSink, @unchecked Sendable {
  // Safe to send: nothing else holds the file.
  private var single: OutputFile?
  private let path: MediaPath
  private let names: PictureNames?
  private let check: OutputCheck
  private let cancellation: Cancellation
  private var count = 0
  private(set) var byteCount = 0
  let droppedPackets = 0
  let repairedTimes = 0
  let lostTags: [String] = []

  /// Writes to `path`, or to many files if it holds a pattern such as `%04d`.
  init(_ path: MediaPath, _ check: OutputCheck, cancellation: Cancellation) {
    self.path = path
    self.check = check
    self.cancellation = cancellation
    names = PictureNames(path)
  }

  mutating func write(_ packet: consuming Packet) throws(MediaError) {
    count += 1
    let file = try nextFile()
    let code = unsafe file.write(packet.native.pointee.data, packet.native.pointee.size)
    if let cancelled = cancellation.error { throw cancelled }
    guard code >= 0 else { throw file.error(file.failure) }
    byteCount += file.byteCount
    if names == nil { single = file } else { try file.finish() }
  }

  mutating func finish() throws(MediaError) {
    try single?.finish()
  }

  private func nextFile() throws(MediaError) -> OutputFile {
    guard names != nil || count == 1 else { throw secondPicture }
    let path = names?.path(count) ?? path
    try check.check(path)
    return try OutputFile(path, overwrite: check.overwrite, cancellation: cancellation)
  }

  private var secondPicture: MediaError {
    let pattern = path.sibling(named: "%04d.\(path.pathExtension)").quoted
    let reason = "one file holds one picture; use a pattern such as \(pattern)"
    return MediaError(.usage, .write, path.quoted, reason)
  }
}

internal import FFmpegC
internal import Glibc

/// The bytes of the input: one file, standard input, or a row of image files read as one.
///
/// libav reads through this, so that it opens nothing itself, a blocked read ends when somebody
/// asks for it, and a read error is never mistaken for the end of the file; a connection that breaks
/// off is damage. A class because libav keeps its address.
@safe
final class InputFile {
  private(set) var descriptor: Int32
  private(set) var failure: Int32 = 0

  /// All files that are read.
  let identities: Set<FileIdentity>
  let pathCount: Int
  let isSeekable: Bool

  /// How many bytes each file of a row has; empty for one file.
  let sizes: [Int64]
  private let isRegular: Bool
  private var following: ArraySlice<MediaPath>

  /// What libav reads this through.
  var reader: UnsafeMutablePointer<AVIOContext>?
  private var position: Int64 = 0
  private var isAtEnd = false
  private var wasInterrupted = false
  private var check = ContainerCheck()
  private let cancellation: Cancellation
  private let network: NetworkInput?

  /// Opens the first of `paths`; the others follow when it has been read.
  init(_ paths: [MediaPath], cancellation: Cancellation) throws(MediaError) {
    guard let first = paths.first else {
      throw MediaError(.missing, .open, "input", "no file matches")
    }
    descriptor = try InputFile.open(first)
    let status = try fileStatus(descriptor, first)
    identities = Set(paths.dropFirst().compactMap { FileIdentity($0) } + [FileIdentity(status)])
    sizes = paths.count > 1 ? paths.map { $0.size } : []
    pathCount = paths.count
    isRegular = status.isRegularFile
    isSeekable = isRegular && paths.count == 1
    following = paths.dropFirst()
    self.cancellation = cancellation
    network = nil
    try InputFile.checkUsable(status, first)
  }

  /// Reads from the `network`, or nothing where a demuxer opens its connections by itself.
  init(_ network: NetworkInput?, cancellation: Cancellation) {
    descriptor = -1
    identities = []
    pathCount = 1
    isRegular = false
    isSeekable = false
    following = []
    self.cancellation = cancellation
    sizes = []
    self.network = network
  }

  deinit {
    if descriptor > STDIN_FILENO { close(descriptor) }
  }

  private static func open(_ path: MediaPath) throws(MediaError) -> Int32 {
    if path.isStandardStream { return STDIN_FILENO }
    // A named pipe without a writer would keep the opening waiting, where nothing can end it.
    let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
    let descriptor = unsafe Glibc.open(path.bytes, flags)
    guard descriptor >= 0 else { throw .system(.missing, .open, path.quoted, errno: errno) }
    makeBlocking(descriptor)
    return descriptor
  }

  private static func checkUsable(_ status: stat, _ path: MediaPath) throws(MediaError) {
    if status.isFolder {
      throw .system(.missing, .open, path.quoted, errno: EISDIR)
    }
    if status.isRegularFile && status.st_size == 0 { throw emptyInput(path) }
  }

  private static func emptyInput(_ path: MediaPath) -> MediaError {
    MediaError(.refused, .open, path.quoted, "empty input")
  }

  /// Says why a demuxer cannot have understood what it read from here.
  func checkUsable(_ path: MediaPath) throws(MediaError) {
    try checkNothingFailed(path)
    if isAtEnd && position == 0 { throw InputFile.emptyInput(path) }
  }

  /// - Throws: A ``MediaError`` of kind `inputOutput` when a read has failed.
  func checkNothingFailed(_ path: MediaPath) throws(MediaError) {
    guard failure != 0 else { return }
    throw .system(.inputOutput, .read, path.quoted, errno: failure)
  }
}

extension InputFile {
  /// Reads into `buffer` as libav expects it: a count, or a negative code.
  func read(_ buffer: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
    let start = Instant.now
    let result = unsafe network?.read(buffer, count) ?? readFiles(buffer, count)
    if result > 0 {
      unsafe look(at: UnsafeBufferPointer(start: buffer, count: Int(result)))
    } else if !isAtEnd {
      isAtEnd = true
      let isInterrupted = cancellation.signalOfInputEnd != nil
      wasInterrupted = isInterrupted && Instant.now.since(start) < InputFile.silence
    }
    return result
  }

  // Nothing that long after a packet: it was whole.
  private static let silence = Duration.seconds(1)

  /// Whether an interrupt ended the input while it was coming: what was read last may lack a part.
  var isCutShort: Bool {
    let isRead = network != nil || descriptor >= 0
    return isRead ? wasInterrupted : cancellation.signalOfInputEnd != nil
  }

  private func readFiles(_ buffer: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
    while true {
      guard waitUntilReadable() else {
        return cancellation.isRequested ? FFMPEGC_EXIT : FFMPEGC_EOF
      }
      let result = unsafe Glibc.read(descriptor, buffer, Int(count))
      if result > 0 { return Int32(result) }
      if result < 0 && errno == EINTR { continue }
      if result < 0 { return fail(errno) }
      guard openNext() else { return failure == 0 ? FFMPEGC_EOF : -failure }
    }
  }

  /// Moves the position as libav expects it; with `AVSEEK_SIZE` tells the size instead.
  func seek(to offset: Int64, whence: Int32) -> Int64 {
    if !sizes.isEmpty { return whence & AVSEEK_SIZE != 0 ? sizeOfCurrent() : -Int64(ESPIPE) }
    if whence & AVSEEK_SIZE != 0 {
      var status = stat()
      return unsafe fstat(descriptor, &status) == 0 ? Int64(status.st_size) : -Int64(errno)
    }
    let position = lseek(descriptor, Int(offset), whence & ~AVSEEK_FORCE)
    guard position >= 0 else { return -Int64(errno) }
    self.position = Int64(position)
    isAtEnd = false
    return self.position
  }

  /// How many bytes a regular file has; `nil` when it is none.
  var size: Int? { isSeekable ? Int(exactly: seek(to: 0, whence: AVSEEK_SIZE)) : nil }

  /// The first bytes, without moving the position; `nil` when there are fewer or it is no file.
  func beginning(_ count: Int) -> [UInt8]? { bytes(count, at: 0) }

  /// Bytes from a place on, as ``beginning(_:)``.
  func bytes(_ count: Int, at offset: Int) -> [UInt8]? {
    guard isSeekable else { return nil }
    let bytes = readAll(count, of: descriptor, at: offset).bytes
    return bytes.count == count ? bytes : nil
  }

  /// Places where the container was found to be damaged, or broke off.
  var damageCount: Int { check.faultCount + (network?.isBroken == true ? 1 : 0) }

  /// Files of a row without a byte, as copies leave them that were interrupted.
  var emptyCount: Int { sizes.count { $0 == 0 } }

  private func look(at bytes: UnsafeBufferPointer<UInt8>) {
    unsafe check.look(at: bytes, offset: position)
    position += Int64(bytes.count)
  }

  // Only pipes and devices keep a reader waiting; 100 ms is how long a request to stop may take.
  private func waitUntilReadable() -> Bool {
    while !cancellation.isInputOver {
      if isRegular { return true }
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if unsafe poll(&request, 1, 100) != 0 { return true }
    }
    return false
  }

  private func openNext() -> Bool {
    guard let next = following.popFirst() else { return false }
    let opened = unsafe Glibc.open(next.bytes, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard opened >= 0 else {
      _ = fail(errno)
      return false
    }
    if descriptor > STDIN_FILENO { close(descriptor) }
    descriptor = opened
    return true
  }

  private func fail(_ code: Int32) -> Int32 {
    failure = code
    return -code
  }
}

internal import FFmpegC
internal import Glibc

/// The bytes of the input: one file, standard input, or a row of image files read as one.
///
/// libav reads through this, so that it opens nothing itself, a blocked read ends when somebody
/// asks for it, and a read error is never mistaken for the end of the file. A class because libav
/// keeps its address.
final class InputFile {
  private(set) var descriptor: Int32
  private(set) var failure: Int32 = 0

  /// All files that are read.
  let identities: Set<FileIdentity>
  let pathCount: Int
  let isSeekable: Bool
  private let isRegular: Bool
  private var following: ArraySlice<MediaPath>
  private let cancellation: Cancellation

  /// Opens the first of `paths`; the others follow when it has been read.
  init(_ paths: [MediaPath], cancellation: Cancellation) throws(MediaError) {
    guard let first = paths.first else {
      throw MediaError(.missing, .open, "input", "no file matches")
    }
    descriptor = try InputFile.open(first)
    let status = try fileStatus(descriptor, first)
    identities = Set(paths.dropFirst().compactMap { FileIdentity($0) } + [FileIdentity(status)])
    pathCount = paths.count
    isRegular = status.isRegularFile
    isSeekable = isRegular && paths.count == 1
    following = paths.dropFirst()
    self.cancellation = cancellation
    try InputFile.checkUsable(status, first)
  }

  deinit {
    if descriptor > STDIN_FILENO { close(descriptor) }
  }

  private static func open(_ path: MediaPath) throws(MediaError) -> Int32 {
    if path.isStandardStream { return STDIN_FILENO }
    let descriptor = unsafe Glibc.open(path.bytes, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { throw .system(.missing, .open, path.quoted, errno: errno) }
    return descriptor
  }

  private static func checkUsable(_ status: stat, _ path: MediaPath) throws(MediaError) {
    if status.isFolder {
      throw .system(.missing, .open, path.quoted, errno: EISDIR)
    }
    if status.isRegularFile && status.st_size == 0 {
      throw MediaError(.refused, .open, path.quoted, "empty input")
    }
  }
}

extension InputFile {
  /// Reads into `buffer` as libav expects it: a count, or a negative code.
  func read(_ buffer: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
    while true {
      guard waitUntilReadable() else { return FFMPEGC_EXIT }
      let result = unsafe Glibc.read(descriptor, buffer, Int(count))
      if result > 0 { return Int32(result) }
      if result < 0 && errno == EINTR { continue }
      if result < 0 { return fail(errno) }
      guard openNext() else { return failure == 0 ? FFMPEGC_EOF : -failure }
    }
  }

  /// Moves the position as libav expects it; with `AVSEEK_SIZE` tells the size instead.
  func seek(to offset: Int64, whence: Int32) -> Int64 {
    if whence & AVSEEK_SIZE != 0 {
      var status = stat()
      return unsafe fstat(descriptor, &status) == 0 ? Int64(status.st_size) : -Int64(errno)
    }
    let position = lseek(descriptor, Int(offset), whence & ~AVSEEK_FORCE)
    return position < 0 ? -Int64(errno) : Int64(position)
  }

  // Only pipes and devices keep a reader waiting; 100 ms is how long a request to stop may take.
  private func waitUntilReadable() -> Bool {
    while !cancellation.isRequested {
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

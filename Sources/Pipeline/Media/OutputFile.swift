internal import FFmpegC
internal import Glibc

/// The file that becomes the output when everything has been written.
///
/// A regular output is written under a temporary name in the same folder and renamed by
/// ``finish()``; until then it vanishes with this object. Pipes, devices and standard output are
/// written directly. The first write error is kept, because not every muxer reports it.
final class OutputFile {
  let isSeekable: Bool
  let path: MediaPath

  /// Where the bytes are until the file is finished; `nil` for pipes and devices.
  let temporary: MediaPath?
  let overwrite: Bool

  /// The work that the output was made of, and that goes when it is there.
  let work: WorkFolder?
  private var descriptor: Int32
  private let isRegular: Bool
  let cancellation: Cancellation
  private let network: NetworkConnection?
  private(set) var failure: Int32 = 0
  private(set) var byteCount = 0

  /// Creates the temporary file, or opens the pipe or device.
  ///
  /// - Throws: A ``MediaError`` of kind `cannotCreate`.
  init(
    _ path: MediaPath,
    overwrite: Bool,
    cancellation: Cancellation,
    work: WorkFolder? = nil,
  ) throws(MediaError) {
    self.path = path
    self.overwrite = overwrite
    self.work = work
    self.cancellation = cancellation
    network = nil
    if OutputFile.isWrittenDirectly(path) {
      temporary = nil
      descriptor = try OutputFile.openDirectly(path, cancellation)
    } else {
      (temporary, descriptor) = try OutputFile.createTemporary(for: path, named: work?.temporary)
    }
    if let temporary { cancellation.begin(temporary) }
    if overwrite { OutputFile.keepPermissions(of: path, descriptor) }
    var status = stat()
    isRegular = unsafe fstat(descriptor, &status) == 0 && status.isRegularFile
    isSeekable = isRegular && !path.isStandardStream && OutputFile.isAtStart(descriptor)
  }

  /// Connects to an address in the network.
  ///
  /// - Throws: A ``MediaError`` of kind `cannotCreate`.
  init(_ address: NetworkAddress, cancellation: Cancellation) throws(MediaError) {
    path = MediaPath(address.url)
    overwrite = false
    work = nil
    self.cancellation = cancellation
    network = try NetworkConnection(address, writes: true, cancellation)
    temporary = nil
    descriptor = -1
    isRegular = false
    isSeekable = false
  }

  /// The most bytes that are written in one piece; zero for any number.
  var packetSize: Int32 { network?.packetSize ?? 0 }

  deinit {
    if descriptor > STDERR_FILENO { close(descriptor) }
    if let temporary {
      unsafe unlink(temporary.bytes)
      cancellation.end(temporary)
    }
  }

  /// Makes the output appear under its name: flushed to the disk, closed, renamed.
  func finish() throws(MediaError) {
    guard failure == 0 else { throw error(failure) }
    if let network {
      network.drain()
      try check(network.close(), .write, path.quoted)
    }
    guard let temporary else { return }
    guard fsync(descriptor) == 0 else { throw error(errno) }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw error(errno) }
    try work?.note(output: temporary)
    try publish(temporary)
    work?.remove()
  }

  /// The error for a person when writing failed with the number `code`.
  func error(_ code: Int32) -> MediaError {
    .system(.inputOutput, .write, path.quoted, errno: code)
  }
}

extension OutputFile {
  /// Writes all of `buffer` as libav expects it: the count, or a negative code.
  func write(_ buffer: UnsafePointer<UInt8>, _ count: Int32) -> Int32 {
    guard failure == 0 else { return -failure }
    if let network { return unsafe write(buffer, count, to: network) }
    let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: Int(count))
    var left = bytes.count
    let code = unsafe writeAll(bytes, to: descriptor) {
      left = $0
      return waitUntilWritable() ? chunk($0) : nil
    }
    note(written: code == 0 ? bytes.count : bytes.count - left)
    guard code != ECANCELED else { return FFMPEGC_EXIT }
    failure = code
    return code == 0 ? count : -code
  }

  private func note(written count: Int) {
    byteCount += count
    if count > 0 && temporary == nil { cancellation.noteSent() }
  }

  private func write(
    _ buffer: UnsafePointer<UInt8>,
    _ count: Int32,
    to network: NetworkConnection,
  ) -> Int32 {
    // A part may leave even where the whole does not.
    cancellation.noteSent()
    let code = unsafe network.write(buffer, count)
    guard code >= 0 else {
      guard !cancellation.isOutputOver else { return FFMPEGC_EXIT }
      failure = -code
      return code
    }
    byteCount += Int(count)
    return count
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

  // A pipe takes this much without blocking once poll() says that it can be written (PIPE_BUF).
  private func chunk(_ count: Int) -> Int {
    isRegular ? count : min(count, 4096)
  }

  private func waitUntilWritable() -> Bool {
    while !cancellation.isOutputOver {
      if isRegular { return true }
      var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      if unsafe poll(&request, 1, 100) != 0 { return true }
    }
    return false
  }
}

extension OutputFile {
  /// Whether `path` is standard output, or something that exists and is no regular file.
  static func isWrittenDirectly(_ path: MediaPath) -> Bool {
    if path.isStandardStream || path.isDescriptor { return true }
    var status = stat()
    return unsafe stat(path.bytes, &status) == 0 && !status.isRegularFile && !status.isFolder
  }

  private static func openDirectly(
    _ path: MediaPath,
    _ cancellation: Cancellation,
  ) throws(MediaError) -> Int32 {
    if path.isStandardStream { return STDOUT_FILENO }
    if let number = path.descriptor { return try duplicate(number, path) }
    while true {
      let flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
      let descriptor = unsafe open(path.bytes, flags)
      let code = errno
      if descriptor >= 0 {
        makeBlocking(descriptor)
        return descriptor
      }
      if let cancelled = cancellation.error { throw cancelled }
      // A named pipe that nobody reads yet: waiting here, unlike in `open`, can be ended.
      guard code == ENXIO, isPipe(path) else {
        throw .system(.cannotCreate, .create, path.quoted, errno: code)
      }
      usleep(50_000)
    }
  }

  // Opened anew, a file would be written from its start, wherever its owner has come to.
  private static func duplicate(
    _ number: Int32,
    _ path: MediaPath,
  ) throws(MediaError) -> Int32 {
    let isWritable = fcntl(number, F_GETFL) & O_ACCMODE != O_RDONLY
    let descriptor = isWritable ? fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1
    guard descriptor >= 0 else {
      let code = isWritable ? errno : EBADF
      throw .system(.cannotCreate, .create, path.quoted, errno: code)
    }
    return descriptor
  }

  // Elsewhere, or where everything is appended, a muxer that goes back would change what others have written.
  private static func isAtStart(_ descriptor: Int32) -> Bool {
    lseek(descriptor, 0, SEEK_CUR) == 0 && fcntl(descriptor, F_GETFL) & O_APPEND == 0
  }

  // A file that is replaced may be for its owner only; this run has to read and write it anyway.
  private static func keepPermissions(of path: MediaPath, _ descriptor: Int32) {
    var status = stat()
    guard unsafe stat(path.bytes, &status) == 0, status.isRegularFile else { return }
    fchmod(descriptor, status.st_mode & 0o777 | 0o600)
  }

  private static func isPipe(_ path: MediaPath) -> Bool {
    var status = stat()
    return unsafe stat(path.bytes, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
  }

  /// A name in the folder of `path`, short whatever that is called, so that it never exceeds NAME_MAX.
  static func temporaryName(for path: MediaPath) -> MediaPath {
    path.sibling(named: ".vsr-" + String(UInt32.random(in: .min ... .max), radix: 36) + ".part")
  }

  private static func createTemporary(
    for path: MediaPath,
    named name: MediaPath?,
  ) throws(MediaError) -> (MediaPath, Int32) {
    for _ in 0..<100 {
      let temporary = name ?? temporaryName(for: path)
      let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
      let descriptor = unsafe open(temporary.bytes, flags, 0o666)
      if descriptor >= 0 { return (temporary, descriptor) }
      guard errno == EEXIST else { break }
    }
    throw .system(.cannotCreate, .create, path.quoted, errno: errno)
  }
}

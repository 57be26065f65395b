internal import Glibc

/// A folder that one process at a time may have.
final class LockedFolder: Sendable {
  private let path: MediaPath
  private let descriptor: Int32

  /// The folder at `path`, or `nil` when there is none.
  ///
  /// - Throws: A ``MediaError`` of kind `cannotCreate` when another process has it.
  init?(existing path: MediaPath) throws(MediaError) {
    self.path = path
    descriptor = unsafe open(path.bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      guard errno == ENOENT else {
        throw .system(.cannotCreate, .open, path.quoted, errno: errno)
      }
      return nil
    }
    // Some network file systems have no such locks.
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
    throw MediaError(.cannotCreate, .open, path.quoted, "another run works in it")
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// The names in the folder.
  private var names: [String] { path.entries.map { MediaPath(bytes: $0).text } }

  /// Removes the files whose names fit.
  func remove(_ fits: (String) -> Bool) {
    for name in names where fits(name) { unsafe unlink(path.appending(name).bytes) }
  }
}

extension LockedFolder {
  /// Makes a folder at `path` that survives a power cut.
  ///
  /// - Throws: A ``MediaError`` of kind `cannotCreate`.
  static func create(_ path: MediaPath) throws(MediaError) -> LockedFolder {
    guard unsafe mkdir(path.bytes, 0o777) == 0 || errno == EEXIST else {
      throw .system(.cannotCreate, .create, path.quoted, errno: errno)
    }
    try path.folder.sync()
    guard let folder = try LockedFolder(existing: path) else {
      throw .system(.cannotCreate, .create, path.quoted, errno: ENOENT)
    }
    return folder
  }
}

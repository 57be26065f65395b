internal import Glibc

/// Tells whether two open files are the same one, however they were named.
struct FileIdentity: Hashable, Sendable {
  private let device: UInt
  private let inode: UInt

  init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
  }

  /// The file that `path` leads to, or `nil` when there is none.
  init?(_ path: MediaPath) {
    var status = stat()
    guard unsafe stat(path.bytes, &status) == 0 else { return nil }
    self.init(status)
  }
}

extension stat {
  var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
  var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
}

/// What the system knows about an open file.
func fileStatus(_ descriptor: Int32, _ path: MediaPath) throws(MediaError) -> stat {
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0 else {
    throw .system(.missing, .open, path.quoted, errno: errno)
  }
  return status
}

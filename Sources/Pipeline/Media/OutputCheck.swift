internal import Glibc

/// Refuses an output that cannot or must not be written, before any work starts.
struct OutputCheck {
  let overwrite: Bool
  let input: FileIdentity?
  let neverReplaced: [MediaPath]

  /// - Throws: A ``MediaError`` of kind `cannotCreate`.
  func check(_ path: MediaPath) throws(MediaError) {
    var status = stat()
    if path.isStandardStream {
      // A shell may have joined it to a file that is read; `>>` would make that grow for ever.
      guard unsafe fstat(STDOUT_FILENO, &status) == 0, status.isRegularFile else { return }
      return try checkNothingReads(status, path)
    }
    if unsafe stat(path.bytes, &status) == 0 {
      try checkExisting(status, path)
    } else {
      try checkFolder(path)
    }
  }

  private func checkExisting(_ status: stat, _ path: MediaPath) throws(MediaError) {
    if status.isFolder { throw .system(.cannotCreate, .create, path.quoted, errno: EISDIR) }
    try checkNothingReads(status, path)
    if status.isRegularFile && !overwrite && !path.isDescriptor {
      throw MediaError(.cannotCreate, .create, path.quoted, "it exists already; -y replaces it")
    }
  }

  private func checkNothingReads(_ status: stat, _ path: MediaPath) throws(MediaError) {
    if let input, input == FileIdentity(status) {
      throw MediaError(.cannotCreate, .create, path.quoted, "it is the input")
    }
    if neverReplaced.contains(where: { FileIdentity($0) == FileIdentity(status) }) {
      throw MediaError(.cannotCreate, .create, path.quoted, "this run reads it")
    }
  }

  private func checkFolder(_ path: MediaPath) throws(MediaError) {
    guard unsafe access(path.folder.bytes, W_OK | X_OK) == 0 else {
      throw .system(.cannotCreate, .create, path.quoted, errno: errno)
    }
  }
}

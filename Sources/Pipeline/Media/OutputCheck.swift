internal import Glibc

/// Refuses an output that cannot or must not be written, before any work starts.
struct OutputCheck {
  let overwrite: Bool

  /// The files that the input consists of.
  let inputs: Set<FileIdentity>
  let neverReplaced: [MediaPath]

  // More pictures than a run writes while somebody waits for its first; each is checked again when it is
  // written.
  private static let largestCount = 100_000

  /// Checks the first files of an image sequence, as many as there are `pictures`.
  ///
  /// - Throws: A ``MediaError`` of kind `cannotCreate`.
  func check(_ names: PictureNames, pictures: Int) throws(MediaError) {
    for number in 1...max(min(pictures, OutputCheck.largestCount), 1) {
      try check(names.path(number))
    }
  }

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
      try checkMissing(path, errno)
    }
  }

  private func checkExisting(_ status: stat, _ path: MediaPath) throws(MediaError) {
    if status.isFolder { throw .system(.cannotCreate, .create, path.quoted, errno: EISDIR) }
    try checkNothingReads(status, path)
    // Whoever has opened a file has said whether it is replaced.
    if status.isRegularFile && path.descriptor == nil { try checkReplaceable(path) }
  }

  private func checkNothingReads(_ status: stat, _ path: MediaPath) throws(MediaError) {
    if inputs.contains(FileIdentity(status)) {
      throw MediaError(.cannotCreate, .create, path.quoted, "it is the input")
    }
    if neverReplaced.contains(where: { FileIdentity($0) == FileIdentity(status) }) {
      throw MediaError(.cannotCreate, .create, path.quoted, "this run reads it")
    }
  }

  private func checkMissing(_ path: MediaPath, _ code: Int32) throws(MediaError) {
    // A name that is too long, for instance, or a file where a folder should be.
    guard code == ENOENT, !path.isEmpty else {
      throw .system(.cannotCreate, .create, path.quoted, errno: code)
    }
    var status = stat()
    // A symbolic link that leads nowhere.
    if unsafe lstat(path.bytes, &status) == 0 { try checkReplaceable(path) }
    guard unsafe access(path.folder.bytes, W_OK | X_OK) == 0 else {
      throw .system(.cannotCreate, .create, path.quoted, errno: errno)
    }
  }

  private func checkReplaceable(_ path: MediaPath) throws(MediaError) {
    guard !overwrite else { return }
    throw MediaError(.cannotCreate, .create, path.quoted, "it exists already; -y replaces it")
  }
}

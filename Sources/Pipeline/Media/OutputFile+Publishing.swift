internal import Glibc

// How a finished file gets its name.
extension OutputFile {
  /// What had the name before.
  private enum Former {
    case nothing
    case kept(MediaPath)
    case unknown
  }

  /// Gives `temporary` its name and makes the folder keep it; where that fails, what was there
  /// before is there again.
  func publish(_ temporary: MediaPath) throws(MediaError) {
    let former = try keepFormer()
    defer { if case .kept(let name) = former { unsafe unlink(name.bytes) } }
    try rename(temporary)
    do throws(MediaError) {
      try path.folder.sync()
    } catch {
      restore(former)
      throw error
    }
  }

  // A second name for the file that is replaced; not every file system has them.
  private func keepFormer() throws(MediaError) -> Former {
    guard overwrite, unsafe access(path.bytes, F_OK) == 0 else { return .nothing }
    let name = work?.former ?? OutputFile.temporaryName(for: path)
    return unsafe link(path.bytes, name.bytes) == 0 ? .kept(name) : .unknown
  }

  private func restore(_ former: Former) {
    switch former {
    case .nothing: unsafe unlink(path.bytes)
    case .kept(let name): unsafe Glibc.rename(name.bytes, path.bytes)
    case .unknown: break
    }
  }

  private func rename(_ temporary: MediaPath) throws(MediaError) {
    // Unlike rename(), link() never replaces a file that appeared meanwhile.
    if !overwrite {
      if unsafe link(temporary.bytes, path.bytes) == 0 {
        unsafe unlink(temporary.bytes)
        return
      }
      guard errno != EEXIST else {
        throw .system(.cannotCreate, .create, path.quoted, errno: EEXIST)
      }
    }
    guard unsafe Glibc.rename(temporary.bytes, path.bytes) == 0 else { throw error(errno) }
  }
}

extension MediaPath {
  /// Makes this folder keep the names that are in it.
  func sync() throws(MediaError) {
    let folder = unsafe open(bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // Whoever may write into a folder may not always read it.
    guard folder >= 0 else { return }
    let code = fsync(folder) == 0 || errno == EINVAL ? 0 : errno
    let closed = close(folder) == 0 ? 0 : errno
    guard code == 0, closed == 0 else {
      throw .system(.inputOutput, .write, quoted, errno: max(code, closed))
    }
  }
}

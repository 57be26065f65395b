internal import FFmpegC
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
    defer { forget(former) }
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
    guard unsafe link(path.bytes, name.bytes) == 0 else { return .unknown }
    cancellation.begin(name)
    return .kept(name)
  }

  private func forget(_ former: Former) {
    guard case .kept(let name) = former else { return }
    unsafe unlink(name.bytes)
    cancellation.end(name)
  }

  private func restore(_ former: Former) {
    switch former {
    case .nothing: unsafe unlink(path.bytes)
    case .kept(let name): unsafe Glibc.rename(name.bytes, path.bytes)
    case .unknown: break
    }
  }

  private func rename(_ temporary: MediaPath) throws(MediaError) {
    let naming = Naming(temporary, path)
    let code = overwrite ? naming.replacing() : naming.keepingOthers()
    guard code != EEXIST || overwrite else {
      throw .system(.cannotCreate, .create, path.quoted, errno: EEXIST)
    }
    guard code == 0 else { throw error(code) }
  }
}

/// The ways in which a file can get its name; each returns zero or what `errno` says.
struct Naming {
  /// Fails with `EEXIST` if something has the name; `EINVAL` or `ENOSYS` where the file system cannot.
  var exclusively: () -> Int32

  /// The same by a second name for the file, which not every file system has.
  var byLink: () -> Int32

  /// Whether something has the name.
  var isTaken: () -> Bool

  /// Replaces what has the name.
  var replacing: () -> Int32

  /// Gives the name without replacing anything: a file may have appeared under it during the run.
  func keepingOthers() -> Int32 {
    let code = exclusively()
    guard code == EINVAL || code == ENOSYS else { return code }
    let linked = byLink()
    if linked == 0 || linked == EEXIST { return linked }
    return isTaken() ? EEXIST : replacing()
  }
}

extension Naming {
  /// The ways to call the file at `old` `new`.
  init(_ old: MediaPath, _ new: MediaPath) {
    exclusively = { unsafe ffmpegc_rename_exclusively(old.bytes, new.bytes) }
    byLink = {
      guard unsafe link(old.bytes, new.bytes) == 0 else { return errno }
      unsafe unlink(old.bytes)
      return 0
    }
    isTaken = {
      var status = stat()
      return unsafe lstat(new.bytes, &status) == 0
    }
    replacing = { unsafe rename(old.bytes, new.bytes) == 0 ? 0 : errno }
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

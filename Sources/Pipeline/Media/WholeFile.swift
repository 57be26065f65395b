/// A file that is no media, written as outputs are: under a temporary name, then renamed.
public enum WholeFile {
  /// Writes `path` with the bytes that `body` passes on, piece by piece.
  ///
  /// - Parameters:
  ///   - path: Where the file appears once it is complete.
  ///   - source: The file that the bytes come from, which is never replaced.
  ///   - neverReplaced: Other files that they come from.
  ///   - overwrite: Whether a file that exists is replaced.
  ///   - cancellation: Ends the writing early.
  ///   - body: Called once with a function that writes.
  /// - Throws: A ``MediaError`` of kind `cannotCreate` or `inputOutput`, and what `body` throws.
  public static func write(
    _ path: MediaPath,
    source: MediaPath?,
    neverReplaced: [MediaPath] = [],
    overwrite: Bool,
    cancellation: Cancellation,
    _ body: ((_ piece: [UInt8]) throws -> Void) throws -> Void,
  ) throws {
    let path = path.asOutput
    let check = OutputCheck(
      overwrite: overwrite,
      inputs: Set([source].compactMap { $0.flatMap { FileIdentity($0) } }),
      neverReplaced: neverReplaced
    )
    try check.check(path)
    let file = try OutputFile(path, overwrite: overwrite, cancellation: cancellation)
    try body { piece in try file.write(piece) }
    if let cancelled = cancellation.error { throw cancelled }
    try file.finish()
  }
}

extension OutputFile {
  /// Writes all of `piece`.
  func write(_ piece: [UInt8]) throws(MediaError) {
    // One call takes less than 2 GiB.
    for start in stride(from: 0, to: piece.count, by: 1 << 20) {
      let part = piece[start..<min(start + 1 << 20, piece.count)]
      let code = unsafe part.withUnsafeBufferPointer { buffer in
        unsafe write(present(buffer.baseAddress), Int32(buffer.count))
      }
      if let cancelled = cancellation.error { throw cancelled }
      guard code >= 0 else { throw error(failure) }
    }
  }
}

internal import Glibc

/// Where a program writes text: its data, and what it says to a person.
public enum TextStream: Int32, Sendable {
  /// Data, perhaps for another program.
  case output = 1

  /// What a person reads.
  case error = 2

  /// Writes all of `text`.
  ///
  /// A reader that has left is no error: there is nobody to read it.
  ///
  /// - Throws: A ``MediaError`` of kind `inputOutput` when the text is lost in any other way.
  public func write(_ text: String) throws(MediaError) {
    let code = unsafe Array(text.utf8).withUnsafeBytes { unsafe writeAll($0, to: rawValue) }
    guard code != 0, code != EPIPE else { return }
    let name = self == .output ? "standard output" : "standard error"
    throw .system(.inputOutput, .write, name, errno: code)
  }
}

/// Lets reads and writes wait, after an opening that did not.
func makeBlocking(_ descriptor: Int32) {
  let flags = fcntl(descriptor, F_GETFL)
  if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) }
}

/// Writes `bytes` to an open file, in as many calls as it takes.
///
/// Before each of them `permitted` says how many of the bytes that are left it may write, or `nil` to end
/// with `ECANCELED`.
///
/// - Returns: Zero, or the number of the error.
func writeAll(
  _ bytes: UnsafeRawBufferPointer,
  to descriptor: Int32,
  permitted: (_ left: Int) -> Int? = { $0 },
) -> Int32 {
  var rest = unsafe bytes
  while unsafe !rest.isEmpty {
    guard let count = permitted(rest.count) else { return ECANCELED }
    let written = unsafe write(descriptor, rest.baseAddress, count)
    if written < 0 && errno == EINTR { continue }
    // Nothing at all is no success: it would be tried for ever.
    guard written > 0 else { return written < 0 ? errno : EIO }
    unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
  }
  return 0
}

/// Reads `count` bytes of an open file from `offset` on, in as many calls as it takes.
///
/// - Returns: The bytes, fewer at the end of the file and where reading fails; and zero, or the number of
///   the error.
func readAll(
  _ count: Int,
  of descriptor: Int32,
  at offset: Int,
) -> (bytes: [UInt8], failure: Int32) {
  // The empty array is one for the process, and filling it would write to it.
  guard count > 0 else { return ([], 0) }
  var failure: Int32 = 0
  let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    while filled < count {
      let rest = unsafe buffer.baseAddress.map { unsafe $0 + filled }
      let result = unsafe pread(descriptor, rest, count - filled, offset + filled)
      if result < 0 && errno == EINTR { continue }
      if result < 0 { failure = errno }
      guard result > 0 else { return }
      filled += result
    }
  }
  return (bytes, failure)
}

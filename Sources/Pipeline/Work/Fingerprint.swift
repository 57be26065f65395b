internal import Engine
internal import Glibc

/// Short digests that tell one file from another.
enum Fingerprint {
  // 64 bits: these are told apart, not defended.
  private static let digitCount = 16

  // Enough for the headers of all containers, and for the tables that some have at their end.
  private static let byteCount = 64 << 10

  /// The beginning of the SHA-256 digest of `bytes`, in hexadecimal digits.
  static func digest(_ bytes: [UInt8]) -> String {
    var digest = SHA256()
    digest.update(bytes)
    return String(digest.hexadecimal.prefix(digitCount))
  }

  /// What the input must still be when a run is continued; where it lies does not matter.
  static func facts(of file: InputFile, _ path: MediaPath) throws(MediaError) -> [WorkOptions.Fact]
  {
    let status = try fileStatus(file.descriptor, path)
    let size = Int(status.st_size)
    let time = status.st_mtim
    let first = readAll(byteCount, of: file.descriptor, at: 0).bytes
    let last = readAll(byteCount, of: file.descriptor, at: max(size - byteCount, 0)).bytes
    return [
      WorkOptions.Fact("bytes", "\(size)"),
      WorkOptions.Fact("changed", "\(time.tv_sec).\(time.tv_nsec)"),
      WorkOptions.Fact("digest", digest(first + last)),
    ]
  }
}

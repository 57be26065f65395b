internal import Glibc

/// A generated clip for measurements: a smooth pattern in slow motion, 8-bit 4:2:0, as YUV4MPEG2.
public struct GeneratedClip: Sendable {
  /// Where the clip lies.
  public let path: MediaPath

  /// Writes a clip into a new file in the folder for temporary files.
  ///
  /// - Throws: A ``MediaError`` of kind `cannotCreate` or `inputOutput`.
  public init(width: Int, height: Int, frames: Int) throws(MediaError) {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var name = Array("\(folder)/vsr-XXXXXX".utf8CString)
    let file = unsafe mkstemp(&name)
    path = MediaPath(bytes: name)
    guard file >= 0 else {
      throw .system(.cannotCreate, .create, path.quoted, errno: errno)
    }
    defer { close(file) }
    let header = Array("YUV4MPEG2 W\(width) H\(height) F25:1 Ip A1:1 C420mpeg2\n".utf8)
    try GeneratedClip.write(header, to: file, path)
    for frame in 0..<frames {
      try GeneratedClip.write(
        GeneratedClip.frame(frame, width: width, height: height),
        to: file,
        path
      )
    }
  }

  /// Removes the file.
  public func remove() {
    _ = unsafe unlink(path.bytes)
  }

  private static func frame(_ index: Int, width: Int, height: Int) -> [UInt8] {
    let chroma = ((width + 1) / 2) * ((height + 1) / 2)
    let luma = (0..<(width * height)).map { i in
      let (x, y) = (i % width + 2 * index, i / width)
      return UInt8(16 + (x * x / 64 + y * (x / 16 + 3)) % 220)
    }
    return Array("FRAME\n".utf8) + luma + [UInt8](repeating: 120, count: chroma)
      + [UInt8](repeating: 140, count: chroma)
  }

  private static func write(
    _ bytes: [UInt8],
    to file: Int32,
    _ path: MediaPath,
  ) throws(MediaError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .system(.inputOutput, .write, path.quoted, errno: errno) }
      rest.removeFirst(count)
    }
  }
}

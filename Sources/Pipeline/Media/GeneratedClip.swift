internal import Glibc

/// A generated clip for measurements: a smooth pattern in slow motion, 8-bit 4:2:0, as YUV4MPEG2.
///
/// Its file has no name: it ends with this value, or with the process, however that ends.
public struct GeneratedClip: ~Copyable {
  /// Where the clip can be read while this value lives.
  public let path: MediaPath

  private let descriptor: Int32

  /// Writes a clip into a new file in the folder for temporary files.
  ///
  /// - Throws: A ``MediaError`` of kind `cannotCreate` or `inputOutput`.
  public init(width: Int, height: Int, frames: Int) throws(MediaError) {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var name = Array("\(folder)/vsr-XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&name)
    path = MediaPath("/proc/self/fd/\(descriptor)")
    let file = MediaPath(bytes: name)
    guard descriptor >= 0 else {
      throw .system(.cannotCreate, .create, file.quoted, errno: errno)
    }
    unsafe unlink(file.bytes)
    try write(Array("YUV4MPEG2 W\(width) H\(height) F25:1 Ip A1:1 C420mpeg2\n".utf8), file)
    for index in 0..<frames {
      try write(GeneratedClip.frame(index, width: width, height: height), file)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
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

  private func write(_ bytes: [UInt8], _ file: MediaPath) throws(MediaError) {
    let code = unsafe bytes.withUnsafeBytes { unsafe writeAll($0, to: descriptor) }
    guard code == 0 else { throw .system(.inputOutput, .write, file.quoted, errno: code) }
  }
}

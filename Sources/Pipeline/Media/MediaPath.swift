internal import Glibc

/// Where media is read from or written to: a path as the bytes the system uses, or `-`.
///
/// Paths are bytes on Linux, not text: a name in Latin-1 stays what it is. Text is made only to show it.
public struct MediaPath: Hashable, Sendable {
  /// The bytes of the path, ending in zero.
  public let bytes: [CChar]

  /// Creates a path from text.
  public init(_ path: String) {
    bytes = Array(path.utf8CString)
  }

  /// Creates a path from bytes as a program receives them; a zero at the end is optional.
  public init(bytes: [CChar]) {
    self.bytes = bytes.prefix { $0 != 0 } + [0]
  }

  /// Whether this names standard input or output.
  public var isStandardStream: Bool {
    bytes == Array("-".utf8CString)
  }

  /// Whether this names nothing.
  var isEmpty: Bool { bytes == [0] }

  /// Whether this names a file that is open already, such as `/dev/fd/3`: never to be renamed over.
  var isDescriptor: Bool {
    ["/dev/fd/", "/dev/std", "/proc/"].contains { text.hasPrefix($0) }
  }

  /// The number of the open file of this process that this names.
  var descriptor: Int32? {
    let names = ["/dev/stdin", "/dev/stdout", "/dev/stderr"]
    if let number = names.firstIndex(of: text) { return Int32(number) }
    let folder = ["/dev/fd/", "/proc/self/fd/"].first { text.hasPrefix($0) }
    return folder.flatMap { Int32(text.dropFirst($0.count)) }
  }

  /// The path as the name of an output: `-` for all names of standard output.
  public var asOutput: MediaPath {
    let names = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
    return names.contains(text) ? MediaPath("-") : self
  }

  /// The path in quotes, with control characters escaped so that a terminal can show it.
  public var quoted: String {
    if isStandardStream { return "standard stream" }
    return "'\(text.printable)'"
  }

  /// The path as text; bytes that are not UTF-8 are replaced.
  public var text: String {
    String(decoding: bytes.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// What follows the last dot of the name, in lower case; empty when there is none.
  public var pathExtension: String {
    let name = text.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }

  /// The folder that the path lies in.
  var folder: MediaPath {
    guard let slash = bytes.lastIndex(of: MediaPath.slash) else { return MediaPath(".") }
    return slash == 0 ? MediaPath("/") : MediaPath(bytes: Array(bytes[..<slash]))
  }

  /// The path with symbolic links and relative parts of its folder resolved.
  var absolute: MediaPath {
    guard let folder = unsafe realpath(folder.bytes, nil) else { return self }
    defer { unsafe free(folder) }
    return MediaPath(bytes: unsafe Array(UnsafeBufferPointer(start: folder, count: strlen(folder))))
      .appending(bytes: name)
  }

  /// The path of something in this folder.
  func appending(_ name: String) -> MediaPath { appending(bytes: Array(name.utf8CString)) }

  private func appending(bytes name: [CChar]) -> MediaPath {
    let slash = bytes.dropLast().last == MediaPath.slash ? [] : [MediaPath.slash]
    return MediaPath(bytes: bytes.dropLast() + slash + name)
  }

  /// A path in the same folder whose name has something around it.
  func sibling(before prefix: String, after suffix: String) -> MediaPath {
    let named = Array(prefix.utf8CString.dropLast()) + name.dropLast() + suffix.utf8CString
    return MediaPath(bytes: bytes[..<folderLength] + named)
  }

  /// What follows the last slash, with its final zero.
  var name: [CChar] { Array(bytes[folderLength...]) }

  /// How many bytes lie before the name.
  var folderLength: Int { bytes.lastIndex(of: MediaPath.slash).map { $0 + 1 } ?? 0 }

  private static let slash = CChar(UInt8(ascii: "/"))

  /// A path in the same folder with another name.
  func sibling(named name: String) -> MediaPath {
    MediaPath(bytes: bytes.dropLast(self.name.count) + Array(name.utf8CString))
  }
}

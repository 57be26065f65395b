internal import Glibc

/// The names of an image sequence.
///
/// `frame%04d.png` stands for frame0001.png, frame0002.png and so on.
struct PictureNames: Hashable, Sendable {
  private let prefix: String
  private let digits: Int
  private let suffix: String
  private let pattern: MediaPath

  /// Reads the pattern in `path`; `nil` if there is none or it names no pictures.
  init?(_ path: MediaPath) {
    guard PictureFormat(path) != nil, let percent = path.text.firstIndex(of: "%") else {
      return nil
    }
    let rest = path.text[path.text.index(after: percent)...]
    let count = rest.prefix { $0.isASCII && $0.isNumber }
    guard rest.dropFirst(count.count).first == "d", count.count <= 3 else { return nil }
    prefix = String(path.text[..<percent])
    digits = min(Int(count) ?? 1, 32)
    suffix = String(rest.dropFirst(count.count + 1))
    pattern = path
  }

  /// The path of the picture with this number.
  func path(_ number: Int) -> MediaPath {
    let text = String(number)
    let zeros = String(repeating: "0", count: max(digits - text.count, 0))
    return MediaPath(prefix + zeros + text + suffix)
  }

  /// The paths of all pictures that exist, from the first (number 0…4) to the first gap.
  func existing() throws(MediaError) -> [MediaPath] {
    // As image tools do: a sequence may start a little later than zero.
    guard let first = (0...4).first(where: { exists(path($0)) }) else {
      throw MediaError(.missing, .open, pattern.quoted, "no file matches")
    }
    return Array((first...).lazy.map(path).prefix(while: exists))
  }

  private func exists(_ path: MediaPath) -> Bool {
    unsafe access(path.bytes, F_OK) == 0
  }
}

internal import Glibc

/// The names of an image sequence.
///
/// `frame%04d.png` stands for frame0001.png, frame0002.png and so on.
struct PictureNames: Hashable, Sendable {
  private let prefix: [CChar]
  private let digits: Int
  private let suffix: [CChar]
  private let pattern: MediaPath

  /// Reads the pattern in `path`; `nil` if there is none or it names no pictures.
  init?(_ path: MediaPath) {
    guard PictureFormat(path) != nil,
      let percent = path.bytes.firstIndex(of: CChar(UInt8(ascii: "%")))
    else { return nil }
    let rest = path.bytes[(percent + 1)...]
    let count = rest.prefix { PictureNames.digits.contains($0) }
    guard rest.dropFirst(count.count).first == CChar(UInt8(ascii: "d")), count.count <= 3
    else { return nil }
    prefix = Array(path.bytes[..<percent])
    digits = min(Int(MediaPath(bytes: Array(count)).text) ?? 1, 32)
    suffix = Array(rest.dropFirst(count.count + 1))
    pattern = path
  }

  /// The path of the picture with this number.
  func path(_ number: Int) -> MediaPath {
    let text = String(number)
    let zeros = String(repeating: "0", count: max(digits - text.count, 0))
    return MediaPath(bytes: prefix + (zeros + text).utf8CString.dropLast() + suffix)
  }

  private static let digits = CChar(UInt8(ascii: "0"))...CChar(UInt8(ascii: "9"))

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

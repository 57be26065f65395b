/// The names of an image sequence.
///
/// `frame%04d.png` stands for frame0001.png, frame0002.png and so on.
struct PictureNames: Hashable, Sendable {
  private let prefix: [CChar]
  private let digits: Int
  private let suffix: [CChar]
  private let pattern: MediaPath

  // More digits than any row has: the space of an address, `%20`, before a `d`.
  private static let mostDigits = 12

  /// As ``init(_:)``, but `nil` for a file whose own name looks like a pattern.
  init?(ofInput path: MediaPath) {
    self.init(path)
    if path.folder.entries.contains(Array(path.name.dropLast())) { return nil }
  }

  /// Reads the pattern in the name of `path`; `nil` if there is none or it names no pictures.
  init?(_ path: MediaPath) {
    guard PictureFormat(path) != nil,
      let percent = path.bytes[path.folderLength...].firstIndex(of: CChar(UInt8(ascii: "%")))
    else { return nil }
    let rest = path.bytes[(percent + 1)...]
    let count = rest.prefix { PictureNames.digits.contains($0) }
    let digits = count.isEmpty ? 1 : Int(MediaPath(bytes: Array(count)).text) ?? .max
    guard rest.dropFirst(count.count).first == CChar(UInt8(ascii: "d")),
      digits <= PictureNames.mostDigits
    else { return nil }
    prefix = Array(path.bytes[..<percent])
    self.digits = digits
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

  /// The paths of all pictures that exist, from the lowest number to the first gap.
  func existing() throws(MediaError) -> [MediaPath] {
    let numbers = stored
    guard let first = numbers.first else {
      throw MediaError(.missing, .open, pattern.quoted, "no file matches")
    }
    return zip(first..., numbers).prefix { $0 == $1 }.map { path($1) }
  }

  /// What a person should know about pictures behind a gap.
  var notices: [Notice] {
    let numbers = stored
    guard let first = numbers.first,
      let (missing, next) = zip(first..., numbers).first(where: { $0 != $1 })
    else { return [] }
    let rest = numbers.count { $0 >= next }
    let name = path(missing).quoted
    return [.warning("\(name) is missing; the pictures after it are left out: \(rest)")]
  }

  // The numbers of the pictures that exist, in their order.
  private var stored: [Int] { pattern.folder.entries.compactMap(number).sorted() }

  // The number in a name without its final zero, if the name is that of a picture with this number.
  private func number(of name: [CChar]) -> Int? {
    let digits = name.dropFirst(prefix.count - pattern.folderLength).prefix {
      PictureNames.digits.contains($0)
    }
    // Numbers that can be counted on from.
    guard let number = Int(MediaPath(bytes: Array(digits)).text), number < Int.max / 2
    else { return nil }
    return path(number).name.dropLast() == name ? number : nil
  }
}

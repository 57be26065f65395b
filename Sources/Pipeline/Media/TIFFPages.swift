/// The pages of a TIFF, of which libav reads the first alone.
struct TIFFPages {
  private let file: InputFile
  private let isBigEndian: Bool
  private var next: Int

  // A page or a smaller version of one; a list that turns in circles ends here.
  private static let mostLooked = 16
  private static let entrySize = 12
  private static let newSubfileType = 254

  /// Finds the first page; `nil` when the file is no TIFF.
  private init?(_ file: InputFile) {
    guard let header = file.beginning(8) else { return nil }
    isBigEndian = header.starts(with: [0x4D, 0x4D, 0, 42])
    guard isBigEndian || header.starts(with: [0x49, 0x49, 42, 0]) else { return nil }
    self.file = file
    next = 0
    next = number(header[4...])
  }

  /// Whether there is more than one page; a smaller version of a picture is none.
  static func areSeveral(in file: InputFile) -> Bool {
    guard var pages = TIFFPages(file), pages.nextIsPage() != nil else { return false }
    for _ in 0..<mostLooked {
      guard let isPage = pages.nextIsPage() else { return false }
      if isPage { return true }
    }
    return false
  }

  // TIFF 6.0, image file directory: how many entries, the entries, and where the next one lies.
  private mutating func nextIsPage() -> Bool? {
    guard next > 0, let count = file.bytes(2, at: next).map({ number($0[...]) }),
      let entries = file.bytes(count * TIFFPages.entrySize + 4, at: next + 2)
    else { return nil }
    next = number(entries.suffix(4))
    let starts = stride(from: 0, to: count * TIFFPages.entrySize, by: TIFFPages.entrySize)
    let kind = starts.first { number(entries[$0..<$0 + 2]) == TIFFPages.newSubfileType }
    return kind.map { number(entries[$0 + 8..<$0 + 12]) & 1 == 0 } ?? true
  }

  private func number(_ bytes: ArraySlice<UInt8>) -> Int {
    isBigEndian ? bytes.bigEndian() : bytes.littleEndian()
  }
}

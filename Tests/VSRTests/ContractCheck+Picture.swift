import Foundation
import TestSupport

// What the samples are and mean.
extension ContractCheck {
  // The largest mean difference of thumbnails in 8-bit codes: half of what a wrong matrix makes of a
  // colourful picture, and several times what encoders make.
  private static let largestDifference = 3.0

  func picture() throws -> ContractCell {
    let isRGB = isRGB(before[0].pixFmt) || isRGB(after[0].pixFmt)
    let pictures = try clip.thumbnails(isRGB ? "rgb24" : "yuv444p")
    guard !pictures.before.isEmpty, pictures.before.count == pictures.after.count else {
      return .broken("cannot be compared")
    }
    let sum = zip(pictures.before, pictures.after).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    let difference = Double(sum) / Double(pictures.before.count)
    return difference <= ContractCheck.largestDifference
      ? .kept("") : .broken("differs by \(difference)")
  }

  var color: ContractCell {
    let (old, new) = (before[0], after[0])
    guard !isRGB(old.pixFmt) else { return .absent("RGB has no matrix") }
    let fields: [(name: String, path: KeyPath<MediaReport.Frame, String?>)] = [
      ("matrix", \.colorSpace), ("primaries", \.colorPrimaries), ("transfer", \.colorTransfer),
      ("range", \.colorRange), ("chroma position", \.chromaLocation),
    ]
    var guesses: [String] = []
    for (name, path) in fields {
      let (value, found) = (known(old[keyPath: path]), known(new[keyPath: path]))
      if let value, value != found {
        // Full chroma has no position.
        guard name == "chroma position", found == nil else {
          return .broken("\(name) \(value) became \(found ?? "unknown")")
        }
      }
      if value == nil, let found, name != "chroma position" { guesses.append("\(name) \(found)") }
    }
    return .kept(guesses.isEmpty ? "" : "guessed: " + guesses.joined(separator: ", "))
  }

  private func known(_ value: String?) -> String? {
    value.flatMap { ["unknown", "unspecified", "reserved"].contains($0) ? nil : $0 }
  }

  var samples: ContractCell {
    let (old, new) = (before[0].pixFmt, after[0].pixFmt)
    guard bits(new) >= bits(old) else { return .broken("\(old) became \(new)") }
    let plain = [old, new].map { $0.replacingOccurrences(of: "yuvj", with: "yuv") }
    return .kept(plain[0] == plain[1] ? new : "\(old) as \(new)")
  }

  private func bits(_ format: String) -> Int {
    let deep = [9, 10, 12, 14, 16].first {
      format.hasSuffix("p\($0)le") || format.hasSuffix("\($0)le")
    }
    return deep ?? 8
  }

  private func isRGB(_ format: String) -> Bool {
    ["rgb", "bgr", "gbr", "pal8", "argb", "abgr"].contains { format.hasPrefix($0) }
  }

  func light() throws -> ContractCell {
    let old = try lightData(clip.input, clip.picture.input, limit: clip.limit)
    let new = try lightData(clip.output, clip.picture.output, limit: nil)
    if old.isEmpty { return new.isEmpty ? .absent("no such data") : .broken("made up") }
    return ContractCell(
      joining: old.keys.sorted().map { kind in
        if old[kind] == new[kind] { return .kept(kind) }
        return clip.says(kind) ? .said("\(kind) lost") : .broken("\(kind) lost in silence")
      },
      none: ""
    )
  }

  // What the header or the pictures say about light, by kind; what changes is listed picture by picture.
  private func lightData(_ path: String, _ stream: Int, limit: Int?) throws -> [String: [String]] {
    let header = try MediaReport.headerData(path, of: stream)
    let first = try MediaReport.sideData(path, of: stream, limit: 1).first ?? []
    let still = ["mastering display": "Mastering display", "content light level": "Content light"]
    let moving = [
      "HDR10+": "HDR Dynamic Metadata SMPTE2094-40", "Dolby Vision": "Dolby Vision Metadata",
    ]
    var found: [String: [String]] = [:]
    for (kind, start) in still {
      let lines = (header + first).filter { $0.hasPrefix(start) }
      if !lines.isEmpty { found[kind] = Set(lines.map(reduced)).sorted() }
    }
    for (kind, start) in moving where first.contains(where: { $0.hasPrefix(start) }) {
      let pictures = try MediaReport.sideData(path, of: stream, limit: limit)
      let lines = pictures.map { $0.filter { $0.hasPrefix(start) }.joined() }
      found[kind] = lines
    }
    return found
  }

  // Fractions as numbers: containers store the same ones with other denominators.
  private func reduced(_ line: String) -> String {
    line.split(separator: "|").map { part in
      let sides = part.split(separator: "=")
      guard let value = sides.last?.split(separator: "/").compactMap({ Double($0) }),
        value.count == 2
      else { return String(part) }
      return "\(sides[0])=\((value[0] / max(value[1], 1) * 10_000).rounded())"
    }.joined(separator: "|")
  }

  func alpha() throws -> ContractCell {
    guard hasAlpha(clip.source, clip.picture.input) else { return .absent("opaque") }
    let old = try clip.alphaThumbnail(clip.input, clip.picture.input)
    if old.isEmpty && isMarked(clip.source, clip.picture.input) {
      return .absent("opaque, though marked")
    }
    guard let result = clip.result, hasAlpha(result, clip.picture.output) else {
      return clip.says("transparency") ? .said("left out") : .broken("lost in silence")
    }
    let new = try clip.alphaThumbnail(clip.output, clip.picture.output)
    guard !old.isEmpty, old.count == new.count else { return .broken("cannot be compared") }
    let sum = zip(old, new).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    let difference = Double(sum) / Double(old.count)
    return difference <= ContractCheck.largestDifference
      ? .kept("") : .broken("differs by \(difference)")
  }

  private func hasAlpha(_ report: MediaReport, _ index: Int) -> Bool {
    let format = report.streams.first { $0.index == index }?.pixFmt ?? ""
    return isMarked(report, index)
      || ["yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya", "pal8"].contains {
        format.hasPrefix($0)
      }
  }

  // WebM's pictures do not say so themselves.
  private func isMarked(_ report: MediaReport, _ index: Int) -> Bool {
    let tags = report.streams.first { $0.index == index }?.tags ?? [:]
    return tags.contains { $0.key.lowercased() == "alpha_mode" && $0.value == "1" }
  }
}

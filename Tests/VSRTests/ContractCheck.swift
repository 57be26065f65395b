import Foundation
import TestSupport
import Testing

/// Compares a clip with what came out, one row of the media contract after the other.
struct ContractCheck {
  let clip: ContractClip
  let before: [MediaReport.Frame]
  let after: [MediaReport.Frame]
  private let result: MediaReport

  // When the part that is kept ends, in seconds; nil when all is kept.
  private let end: Double?

  /// Reads the pictures of a clip that was not refused.
  init(_ clip: ContractClip) throws {
    self.clip = clip
    result = try #require(clip.result)
    let frames = try clip.frames()
    before = Array(frames.before.prefix(clip.limit ?? frames.before.count))
    after = frames.after
    end = clip.limit.flatMap { frames.before.count > $0 ? frames.before[$0].seconds : nil }
    try #require(!before.isEmpty && !after.isEmpty, "\(before.count) became \(after.count)")
  }

  /// What each column of the table holds.
  static var columns: [(title: String, cell: (ContractCheck) throws -> ContractCell)] {
    [
      ("frames", { $0.frames }),
      ("times", { $0.times }),
      ("sound", { $0.copied(["audio"], none: "no sound") }),
      ("subtitles", { $0.copied(["subtitle"], none: "no subtitles") }),
      ("other streams", { $0.copied(["video", "data", "attachment"], none: "no others") }),
      ("chapters", { $0.chapters }),
      ("tags", { $0.tags }),
      ("languages, dispositions", { $0.names }),
      ("size", { $0.size }),
      ("upright", { $0.turn }),
      ("shape of pixels", { $0.pixelShape }),
      ("same picture", { try $0.picture() }),
      ("colour tags", { $0.color }),
      ("samples", { $0.samples }),
      ("HDR data", { try $0.light() }),
      ("transparency", { try $0.alpha() }),
      ("fields", { $0.fields }),
    ]
  }

  // What the containers of the clips can store: milliseconds, or ticks of a clock of at least 90 kHz.
  private var tolerance: Double {
    ["mkv", "webm", "flv"].contains { clip.output.hasSuffix($0) } ? 0.0006 : 0.00002
  }

  private var frames: ContractCell {
    let wanted = clip.limit ?? before.count
    guard after.count == wanted else { return .broken("\(wanted) became \(after.count)") }
    return .kept(clip.limit == nil ? "all \(wanted)" : "the first \(wanted)")
  }

  private var times: ContractCell {
    let pairs = zip(before, after).map { ($0.seconds, $1.seconds) }
    let isKept = pairs.allSatisfy { old, new in
      guard let old, let new else { return false }
      return abs(old - new) <= tolerance
    }
    guard isKept else { return .broken("times differ") }
    let steps = Set(
      zip(before.dropFirst(), before).map { next, last in
        Int((((next.seconds ?? 0) - (last.seconds ?? 0)) * 500).rounded())
      }
    )
    return .kept(steps.count > 1 ? "variable rate" : "")
  }

  private func copied(_ kinds: Set<String>, none: String) -> ContractCell {
    let others = clip.source.streams.filter {
      $0.index != clip.picture.input && kinds.contains($0.codecType ?? "")
    }
    return ContractCell(joining: others.map(copied), none: none)
  }

  private func copied(_ stream: MediaReport.Stream) -> ContractCell {
    let name = stream.codecName ?? "without a header"
    guard let fate = clip.fates.first(where: { $0.input == stream.index }) else {
      return .broken("\(name) is unknown")
    }
    guard let output = fate.output else {
      let reason = clip.reason(for: stream.index)
      return reason.map { .said("\(name) left out, \($0)") } ?? .broken("\(name) lost in silence")
    }
    let wanted = clip.source.packets(of: stream.index).filter { packet in
      guard let end, let time = packet.ptsTime.flatMap(Double.init) else { return true }
      return time < end
    }
    let found = result.packets(of: output)
    guard wanted.map(\.dataHash) == found.map(\.dataHash) else {
      return .broken("\(name): \(wanted.count) packets became \(found.count), or others")
    }
    let moved = zip(wanted, found).contains { old, new in
      guard let old = old.ptsTime.flatMap(Double.init) else { return false }
      return abs(old - (new.ptsTime.flatMap(Double.init) ?? .infinity)) > tolerance
    }
    return moved ? .broken("\(name) at other times") : .kept(name)
  }

  private var chapters: ContractCell {
    guard !clip.source.chapters.isEmpty else { return .absent("no chapters") }
    let wanted = clip.source.chapters.filter { seconds($0.startTime) < end ?? .infinity }
    let isKept =
      wanted.count == result.chapters.count
      && zip(wanted, result.chapters).allSatisfy { old, new in
        let last = min(seconds(old.endTime), end ?? .infinity)
        return old.tags?["title"] == new.tags?["title"]
          && abs(seconds(old.startTime) - seconds(new.startTime)) <= tolerance
          // Chapters may count in milliseconds where pictures do not.
          && abs(last - seconds(new.endTime)) <= max(tolerance, 0.000_5)
      }
    guard isKept else {
      return .broken("\(result.chapters.map { "\($0.startTime) \($0.endTime)" })")
    }
    let isCut = wanted.count < clip.source.chapters.count
    return .kept(isCut ? "the first \(wanted.count)" : "\(wanted.count)")
  }

  private func seconds(_ time: String) -> Double { Double(time) ?? .nan }
}

// Names and numbers in headers.
extension ContractCheck {
  // Containers write these by themselves, about themselves.
  private static let ownTags: Set<String> = [
    "major_brand", "minor_version", "compatible_brands", "duration", "vendor_id", "encoder",
    // The encoder in AVI.
    "software",
    // Compared with the pictures.
    "alpha_mode",
  ]

  private var tags: ContractCell {
    var missing = lost(clip.source.format?.tags, in: result.format?.tags)
    var count = clip.source.format?.tags?.count ?? 0
    for fate in clip.fates {
      guard let output = fate.output else { continue }
      let old = clip.source.streams.first { $0.index == fate.input }?.tags
      let new = result.streams.first { $0.index == output }?.tags
      count += old?.count ?? 0
      // How many bytes the old picture had says nothing about the new one.
      missing += lost(old, in: new).filter { key in
        (fate.action == "copied" || !ContractCheck.isStatistic(key))
          && !(key == "creation_time" && isOfTheFile(plain(old)[key]))
      }
    }
    if missing.isEmpty { return count == 0 ? .absent("no tags") : .kept("") }
    let list = Set(missing).sorted().joined(separator: ", ")
    return missing.allSatisfy { clip.says($0) }
      ? .said("left out: \(list)") : .broken("lost \(list)")
  }

  // Matroska has one moment of creation for all streams.
  private func isOfTheFile(_ moment: String?) -> Bool {
    plain(result.format?.tags)["creation_time"] == moment
  }

  private static func isStatistic(_ key: String) -> Bool {
    ["bps", "number_of_", "_statistics_", "duration"].contains { key.hasPrefix($0) }
  }

  // The tags that differ or are not there.
  private func lost(_ old: [String: String]?, in new: [String: String]?) -> [String] {
    let (old, kept) = (plain(old), plain(new))
    return old.filter { !ContractCheck.ownTags.contains($0.key) && kept[$0.key] != $0.value }
      .map(\.key)
  }

  // In small letters, and what means the same written in one way; what means nothing is left out.
  private func plain(_ tags: [String: String]?) -> [String: String] {
    let named = (tags ?? [:]).map { ($0.key.lowercased(), $0.value) }
    var tags = Dictionary(named) { first, _ in first }
    // The same place once more.
    tags["location-eng"] = nil
    tags["location"] = tags["location"].map(coordinates)
    tags["creation_time"] = tags["creation_time"].map { String($0.filter(\.isNumber).prefix(14)) }
    if tags["creation_time"] == "19700101000000" { tags["creation_time"] = nil }
    if tags["language"] == "und" { tags["language"] = nil }
    return tags
  }

  // Degrees to three places, as in +40.680-074.500.
  private func coordinates(_ location: String) -> String {
    let numbers = location.replacing(/(?=[+-])/, with: " ").split { " /".contains($0) }
    return numbers.prefix(2).map { "\(((Double($0) ?? 0) * 1000).rounded())" }.joined(
      separator: " "
    )
  }

  private var names: ContractCell {
    for fate in clip.fates {
      guard let output = fate.output else { continue }
      let old = clip.source.streams.first { $0.index == fate.input }
      let new = result.streams.first { $0.index == output }
      guard old?.disposition == new?.disposition else {
        return .broken("another disposition of stream \(output)")
      }
      let languages = [old, new].map { plain($0?.tags)["language"] ?? "und" }
      guard languages[0] == languages[1] else { return .broken("\(languages)") }
    }
    return .kept("")
  }

  private var quarterTurns: Int {
    let stream = clip.source.streams.first { $0.index == clip.picture.input }
    let degrees = stream?.sideDataList?.compactMap(\.rotation).first ?? 0
    return (Int(degrees) / 90 + 4) % 4
  }

  private var size: ContractCell {
    let isTurned = quarterTurns % 2 == 1
    let wanted = before.map { frame in
      let (width, height) = (
        frame.width * ContractClip.scale, frame.height * ContractClip.scale
      )
      return isTurned ? [height, width] : [width, height]
    }
    guard after.map({ [$0.width, $0.height] }) == wanted else {
      return .broken("\(after.first.map { "\($0.width)×\($0.height)" } ?? "nothing")")
    }
    return .kept("\(wanted[0][0])×\(wanted[0][1])")
  }

  private var turn: ContractCell {
    let stream = result.streams.first { $0.index == clip.picture.output }
    guard stream?.sideDataList?.compactMap(\.rotation).first == nil else {
      return .broken("turned again")
    }
    return quarterTurns == 0 ? .kept("") : .kept("turned by \(quarterTurns * 90)°")
  }

  private var pixelShape: ContractCell {
    func shape(_ report: MediaReport, _ index: Int) -> [Int] {
      let text = report.streams.first { $0.index == index }?.sampleAspectRatio ?? "1:1"
      let sides = text.split(separator: ":").compactMap { Int($0) }
      return sides.contains(0) || sides.count != 2 ? [1, 1] : sides
    }
    let old = shape(clip.source, clip.picture.input)
    let new = shape(result, clip.picture.output)
    guard new == (quarterTurns % 2 == 1 ? old.reversed() : old) else { return .broken("\(new)") }
    return .kept("\(new[0]):\(new[1])")
  }

  private var fields: ContractCell {
    let isInterlaced = before.contains { $0.interlacedFrame == 1 }
    guard !after.contains(where: { $0.interlacedFrame == 1 }) else {
      return .broken("still interlaced")
    }
    guard isInterlaced else { return .absent("progressive") }
    return clip.says("the source is interlaced")
      ? .said("made whole") : .broken("made whole in silence")
  }
}

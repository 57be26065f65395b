import Foundation
import TestSupport
import Testing

/// Every real clip through the program and back: the table in Docs/media-contract.md is what comes out.
///
/// With VSR_WRITE_CONTRACT in the environment the table is written instead of compared.
@Suite struct ContractTests {
  private static let document = repositoryRoot + "Docs/media-contract.md"
  private static let marks = ["<!-- the table begins -->\n", "<!-- the table ends -->\n"]

  @Test(.enabled(if: SharedFolder.media.isExpected))
  func nothingButThePictureChanges() throws {
    let folder = try TemporaryFolder()
    let script = repositoryRoot + "Tests/Torture/make-bicubic-model.py"
    let model = folder.path("m.safetensors")
    let scale = "\(ContractClip.scale)"
    try #require(try Subprocess("python3", [script, model, scale]).exitCode == 0)

    let clips = try clips()
    let filled = Rows()
    DispatchQueue.concurrentPerform(iterations: clips.count) { number in
      filled.fill(number, with: row(clips[number], model))
    }
    let rows = filled.inOrder
    for row in rows {
      for cell in row.cells where cell.text.hasPrefix("✗") {
        Issue.record("\(row.name), \(cell.column): \(cell.text)")
      }
    }
    let header = [["clip"] + ContractCheck.columns.map(\.title)]
    try compare(table(header + rows.map { [$0.name] + $0.cells.map(\.text) }))
  }

  private func row(_ name: String, _ model: String) -> Row {
    do {
      let clip = try ContractClip(name, in: TemporaryFolder(), model: model)
      return Row(name: name, cells: try cells(of: clip))
    } catch {
      return Row(name: name, cells: [("frames", ContractCell.broken("\(error)").text)])
    }
  }

  fileprivate struct Row {
    let name: String
    let cells: [(column: String, text: String)]
  }

  // Those that somebody has listed, in the order of their names.
  private func clips() throws -> [String] {
    let index = try String(contentsOfFile: SharedFolder.media.path("index.tsv"), encoding: .utf8)
    let names = index.split(separator: "\n").dropFirst().map { String($0.prefix { $0 != "\t" }) }
    try #require(names.count > 40)
    return names.sorted()
  }

  private func cells(of clip: ContractClip) throws -> [(column: String, text: String)] {
    guard clip.result != nil else { return [("frames", refusal(of: clip).text)] }
    let check = try ContractCheck(clip)
    return try ContractCheck.columns.map { ($0.title, try $0.cell(check).text) }
  }

  // A clip may be refused when ffprobe finds no picture in it either; one line says why.
  private func refusal(of clip: ContractClip) -> ContractCell {
    let video = clip.source.streams.first { $0.codecType == "video" }
    let frames = video.flatMap { try? MediaReport.frames(clip.input, of: $0.index, limit: 1) }
    let isRight =
      frames?.isEmpty ?? true && [65, 66].contains(clip.run.exitCode)
      && clip.run.errorLines.count == 1 && !FileManager.default.fileExists(atPath: clip.output)
    guard isRight else { return .broken("exit \(clip.run.exitCode): \(clip.run.errors)") }
    let reason = clip.run.errors.split(separator: ": ").last.map { String($0.dropLast()) } ?? ""
    return .said("refused, \(reason)")
  }

  private func table(_ rows: [[String]]) -> String {
    let width = rows[0].count
    let lines = rows.map { row in
      let padding = Array(repeating: "", count: width - row.count)
      return "| " + (row + padding).joined(separator: " | ") + " |"
    }
    let rule = "| " + Array(repeating: "---", count: width).joined(separator: " | ") + " |"
    return ([lines[0], rule] + lines.dropFirst()).joined(separator: "\n") + "\n"
  }

  private func compare(_ table: String) throws {
    let document = try String(contentsOfFile: ContractTests.document, encoding: .utf8)
    let start = try #require(document.range(of: ContractTests.marks[0])).upperBound
    let end = try #require(document.range(of: ContractTests.marks[1])).lowerBound
    if ProcessInfo.processInfo.environment["VSR_WRITE_CONTRACT"] != nil {
      let text = document.replacingCharacters(in: start..<end, with: table)
      try text.write(toFile: ContractTests.document, atomically: true, encoding: .utf8)
      return
    }
    let (old, new) = (document[start..<end].split(separator: "\n"), table.split(separator: "\n"))
    for difference in new.difference(from: old) {
      Issue.record("Docs/media-contract.md, which `make contract` writes: \(difference)")
    }
  }
}

/// The rows of a table that several threads fill.
private final class Rows: @unchecked Sendable {
  // Safe to share: the lock guards the rows.
  private var rows: [Int: ContractTests.Row] = [:]
  private let lock = NSLock()

  func fill(_ number: Int, with row: ContractTests.Row) {
    lock.withLock { rows[number] = row }
  }

  var inOrder: [ContractTests.Row] {
    lock.withLock { rows }.sorted { $0.key < $1.key }.map(\.value)
  }
}

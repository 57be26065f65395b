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

    var rows: [[String]] = [["clip"] + ContractCheck.columns.map(\.title)]
    for name in try clips() {
      let clip = try ContractClip(name, in: folder, model: model)
      rows.append([name] + (try cells(of: clip)))
      try? FileManager.default.removeItem(atPath: clip.output)
    }
    try compare(table(rows))
  }

  // Those that somebody has listed, in the order of their names.
  private func clips() throws -> [String] {
    let index = try String(contentsOfFile: SharedFolder.media.path("index.tsv"), encoding: .utf8)
    let names = index.split(separator: "\n").dropFirst().map { String($0.prefix { $0 != "\t" }) }
    try #require(names.count > 40)
    return names.sorted()
  }

  private func cells(of clip: ContractClip) throws -> [String] {
    guard clip.result != nil else { return [try refusal(of: clip)] }
    let check = try ContractCheck(clip)
    return try ContractCheck.columns.map { title, cell in
      let cell = try cell(check)
      #expect(!cell.isBroken, "\(clip.name), \(title): \(cell.text); \(clip.run.errors)")
      return cell.text
    }
  }

  // A clip may be refused when ffprobe finds no picture in it either; one line says why.
  private func refusal(of clip: ContractClip) throws -> String {
    let frames = try? MediaReport.frames(clip.input, of: 0, limit: 1)
    #expect(frames?.isEmpty ?? true, "\(clip.name): \(clip.run.errors)")
    #expect([65, 66].contains(clip.run.exitCode) && clip.run.errorLines.count == 1)
    #expect(!FileManager.default.fileExists(atPath: clip.output))
    let reason = clip.run.errors.split(separator: ": ").last.map { $0.dropLast() } ?? ""
    return "refused: \(reason)"
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

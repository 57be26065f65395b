import Foundation
import TestSupport
import Testing

@testable import Engine

/// Files made to harm whoever loads them, from the generator beside the repository.
@Suite struct HostileModelTests {
  private static let generator = repositoryRoot + "../shared/torture/make-models.py"

  private static let hasCorpus: Bool = {
    if FileManager.default.fileExists(atPath: generator) { return true }
    if ProcessInfo.processInfo.environment["CI"] != nil { return true }
    print("skipping the corpus of hostile models: no \(generator)")
    return false
  }()

  @Test(.enabled(if: hasCorpus))
  func judgesTheCorpusOfHostileFiles() throws {
    let folder = try TemporaryFolder()
    let table = folder.path("expect.tsv")
    let made = try Subprocess("python3", [Self.generator, folder.path("models"), table, "models"])
    try #require(made.exitCode == 0, "\(Self.generator) fails")

    var refused = 0
    var loaded = 0
    for line in try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n") {
      let columns = line.split(separator: "\t")
      let name = String(columns[0].dropFirst("models/".count))
      let path = folder.path("models/" + name)
      switch columns[1] {
      case "MODEL-REJ" where name.hasPrefix("bad-") || name.hasPrefix("evil-"):
        expectModelError("", "\(name)") { try WeightStore(path: path) }
        refused += 1
      case "MODEL-REJ":
        expectModelError("", "\(name)") { try Model(named: path) }
        refused += 1
      case "MODEL-OK":
        #expect(throws: Never.self, "\(name)") { try WeightStore(path: path) }
        loaded += 1
      default:
        // A matter of taste; only the process must survive.
        _ = try? WeightStore(path: path)
      }
    }
    #expect(refused >= 140)
    #expect(loaded >= 17)
  }
}

import Foundation
import TestSupport
import Testing

@testable import Engine

@Suite struct ModelTests {
  private static let weights = repositoryRoot + "Models/fast/weights.safetensors"

  @Test(arguments: BundledModel.all.map(\.name))
  func everyBundledNameIsItsFolder(name: String) throws {
    let file = repositoryRoot + "Models/\(name)/weights.safetensors"

    #expect(try Model(named: name).name == name)
    #expect(try WeightStore(modelNamed: name).digest() == WeightStore(path: file).digest())
  }

  @Test func fileIsTheBundledModel() throws {
    let file = try Model(named: Self.weights)

    #expect(try file.card == Model(named: "fast").card)
    #expect(file.card["network"] == "compact" && file.scale == 4)
  }

  @Test(arguments: ["", "Fast", "fast ", "nonesuch"])
  func unknownNameListsTheKnownOnes(name: String) {
    expectModelError("bundled are: fast", subject: "'\(name)'") { try Model(named: name) }
  }

  @Test func missingFileIsNoBundledName() {
    expectModelError("No such file") { try Model(named: "./fast") }
    expectModelError("No such file") { try Model(named: "fast.safetensors") }
  }

  @Test(arguments: [0, 1, 8, 100, 5000, 600_000])
  func refusesATruncatedFile(byteCount: Int) throws {
    try expectRefusal(byteCount < 8 ? "too short" : "truncated") { $0 = $0.prefix(byteCount) }
  }

  @Test func refusesATruncationByOneByte() throws {
    try expectRefusal("truncated: 1 bytes are missing") { $0.removeLast() }
  }

  @Test func refusesACorruptHeader() throws {
    try expectRefusal("not valid JSON") { $0[9] = UInt8(ascii: "}") }
    try expectRefusal("does not begin with '{'") { $0[8] = 0 }
    try expectRefusal("not UTF-8") { $0[10] = 0xFF }
  }

  @Test func refusesACorruptWeight() throws {
    try expectRefusal("NaN or infinity") { data in
      // The first tensor's first float, behind the header.
      let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      data.replaceSubrange((8 + length)..<(12 + length), with: [0xFF, 0xFF, 0xFF, 0xFF])
    }
  }

  // Of the same length, so that the header stays whole.
  @Test(arguments: [
    ("\"network\":\"compact\"", "\"network\":\"comfort\"", "network 'comfort' is unknown"),
    ("\"network\":", "\"netwOrk\":", "no network known here"),
    ("\"scale\":\"4\"", "\"scale\":\"9\"", "'scale' is not a number from 1 to 8"),
    ("\"scale\":\"4\"", "\"scale\":\"3\"", "has the shape"),
    ("\"body\":\"12\"", "\"body\":\"13\"", "tensor 'emb.2.weight' has the shape"),
    ("\"features\":\"48\"", "\"features\":\"-8\"", "'features' is not a number"),
    ("\"sigma\":\"1.0\"", "\"sigma\":\"nan\"", "'sigma' is not a positive number"),
    ("\"sigma_data\":\"0.5\"", "\"sigma_data\":\"-.5\"", "'sigma_data' is not a positive number"),
    ("\"residual_every\":\"4\"", "\"residual_every\":\"0\"", "'residual_every' is not a number"),
    ("\"head.weight\"", "\"hand.weight\"", "tensor 'head.weight' is missing"),
  ])
  func refusesACardThatDoesNotFit(find: String, replacement: String, reason: String) throws {
    try expectRefusal(reason) { data in
      let range = try #require(data.range(of: Data(find.utf8)), "no \(find) in the header")
      data.replaceSubrange(range, with: Data(replacement.utf8))
    }
  }

  private func expectRefusal(
    _ reason: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    of change: (inout Data) throws -> Void,
  ) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("changed.safetensors")
    var data = try Data(contentsOf: URL(fileURLWithPath: Self.weights))
    try change(&data)
    try data.write(to: URL(fileURLWithPath: path))
    expectModelError(reason, subject: "'\(path)'", sourceLocation: sourceLocation) {
      try Model(named: path)
    }
  }
}

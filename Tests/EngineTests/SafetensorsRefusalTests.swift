import Foundation
import TestSupport
import Testing

@testable import Engine

@Suite struct SafetensorsRefusalTests {
  static let data = bytes(of: (0..<40).map(Float.init))

  static func tensor(
    type: String = #""F32""#,
    shape: String = "[40]",
    offsets: String = "[0,160]",
  ) -> String {
    "{\"dtype\":\(type),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  static let good = "{\"a\":\(tensor())}"

  @Test(arguments: badFiles)
  func refusesWithAReason(_ bad: BadFile) throws {
    try bad.expectRefusal(named: "bad.safetensors")
  }

  // What the bad files are variations of.
  @Test func loadsTheFileThatTheBadOnesAreMadeOf() throws {
    #expect(try load(safetensors(Self.good, Self.data)).weights("a").values.count == 40)
  }

  @Test func refusesWhatIsNoFile() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path("pipe.safetensors")
    #expect(mkfifo(pipe, 0o600) == 0)

    expectModelError("not a regular file") { try WeightStore(path: folder.url.path) }
    expectModelError("not a regular file") { try WeightStore(path: pipe) }
    expectModelError("not a regular file") { try WeightStore(path: "/dev/null") }
    expectModelError("No such file or directory") { try WeightStore(path: folder.path("none")) }
  }

  // No cut ends the process or passes for a file.
  @Test func refusesEveryTruncation() throws {
    let whole = safetensors(Self.good, Self.data)
    let folder = try TemporaryFolder()
    let path = folder.path("cut.safetensors")
    for count in whole.indices {
      try Data(whole[..<count]).write(to: URL(fileURLWithPath: path))
      expectModelError("") { try WeightStore(path: path) }
    }
  }
}

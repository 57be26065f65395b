import Foundation
import TestSupport
import Testing

@testable import Engine

@Suite struct SafetensorsRefusalTests {
  struct Bad: CustomTestStringConvertible {
    let fault: String
    let reason: String
    let bytes: [UInt8]

    init(_ fault: String, _ reason: String, _ bytes: [UInt8]) {
      self.fault = fault
      self.reason = reason
      self.bytes = bytes
    }

    var testDescription: String { fault }
  }

  private static let data = bytes(of: (0..<40).map(Float.init))

  private static func tensor(
    type: String = #""F32""#,
    shape: String = "[40]",
    offsets: String = "[0,160]",
  ) -> String {
    "{\"dtype\":\(type),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  private static let good = "{\"a\":\(tensor())}"

  private static let badFiles: [Bad] =
    [
      Bad("empty", "too short", []),
      Bad("seven bytes", "too short", [16, 0, 0, 0, 0, 0, 0]),
      Bad("header of no bytes", "ends inside its header", safetensors("", data)),
      Bad("header past the end", "ends inside its header", safetensors(good, data, length: 1000)),
      Bad(
        "header length 2⁶³",
        "claims 9223372036854775808 bytes",
        safetensors(good, length: 1 << 63)
      ),
      Bad(
        "header length 2⁶⁴ − 1",
        "claims 18446744073709551615 bytes",
        safetensors(good, length: .max)
      ),
      Bad(
        "header above the limit",
        "claims 16777217 bytes",
        safetensors(good, length: 16 << 20 + 1)
      ),
      Bad(
        "web page",
        "it is a web page",
        Array("<!DOCTYPE html><html><body>Access denied</body></html>".utf8)
      ),
      Bad(
        "pointer to large storage",
        "'git lfs pull' fetches that",
        Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".utf8)
      ),
    ] + badJSON + badTensors + badLayouts

  private static let badJSON: [Bad] = [
    Bad(
      "not UTF-8",
      "not UTF-8",
      safetensors(Array("{\"".utf8) + [0xFF, 0xFE] + Array("\":1}".utf8))
    ),
    Bad(
      "byte-order mark",
      "does not begin with '{'",
      safetensors([0xEF, 0xBB, 0xBF] + Array(good.utf8), data)
    ),
    Bad("leading space", "does not begin with '{'", safetensors(" " + good, data)),
    Bad("array", "does not begin with '{'", safetensors("[1,2,3]")),
    Bad("not JSON", "not valid JSON at byte 1", safetensors("{this is not json}")),
    Bad("unclosed object", "where '}' belongs", safetensors("{\"a\":\(tensor())", data)),
    Bad("unclosed string", "in a string", safetensors("{\"a")),
    Bad("control byte in a string", "in a string", safetensors("{\"a\n\":\(tensor())}", data)),
    Bad("comma at the end", "where '\"' belongs", safetensors("{\"a\":\(tensor()),}", data)),
    Bad("trailing garbage", "after the header", safetensors(good + "xx", data)),
    Bad("two objects", "after the header", safetensors(good + "{}", data)),
    Bad("zero byte at the end", "after the header", safetensors(good + "\0", data)),
    Bad("unknown escape", "unknown escape", safetensors("{\"\\x61\":\(tensor())}", data)),
    Bad("short escape", "malformed \\u escape", safetensors("{\"\\u61\":\(tensor())}", data)),
    Bad("signed escape", "malformed \\u escape", safetensors("{\"\\u+061\":\(tensor())}", data)),
    Bad("lone surrogate", "half a surrogate pair", safetensors("{\"\\ud800\":\(tensor())}", data)),
    Bad(
      "two lead surrogates",
      "half a surrogate pair",
      safetensors("{\"\\ud800\\ud800\":\(tensor())}", data)
    ),
    Bad(
      "duplicate key",
      "'a' appears twice",
      safetensors("{\"a\":\(tensor()),\"a\":\(tensor())}", data)
    ),
    Bad(
      "duplicate key, escaped",
      "'a' appears twice",
      safetensors("{\"a\":\(tensor()),\"\\u0061\":\(tensor())}", data)
    ),
    Bad(
      "duplicate metadata",
      "'__metadata__' appears twice",
      safetensors("{\"__metadata__\":{},\"__metadata__\":{},\"a\":\(tensor())}", data)
    ),
    Bad(
      "duplicate field",
      "'shape' appears twice",
      safetensors(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[40],\"shape\":[40],\"data_offsets\":[0,160]}}",
        data
      )
    ),
    Bad(
      "metadata is a string",
      "__metadata__ is no object",
      safetensors("{\"__metadata__\":\"x\"}")
    ),
    Bad(
      "metadata holds a number",
      "other than strings",
      safetensors("{\"__metadata__\":{\"k\":1}}")
    ),
    Bad(
      "metadata is nested",
      "other than strings",
      safetensors("{\"__metadata__\":{\"k\":{\"x\":\"y\"}}}")
    ),
    Bad(
      "deeply nested objects",
      "nested too deeply",
      safetensors(
        String(repeating: "{\"a\":", count: 100_000) + "1" + String(repeating: "}", count: 100_000)
      )
    ),
    Bad(
      "deeply nested arrays",
      "nested too deeply",
      safetensors(
        "{\"a\":" + String(repeating: "[", count: 400_000) + String(repeating: "]", count: 400_000)
          + "}"
      )
    ),
  ]

  private static let badTensors: [Bad] = [
    Bad("tensor is a number", "needs exactly", safetensors("{\"a\":1}")),
    Bad(
      "field missing",
      "needs exactly",
      safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[40]}}", data)
    ),
    Bad(
      "field too many",
      "needs exactly",
      safetensors(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[40],\"data_offsets\":[0,160],\"x\":1}}",
        data
      )
    ),
    Bad("null", "where a value belongs", safetensors("{\"a\":\(tensor(type: "null"))}", data)),
    Bad(
      "unknown dtype",
      "tensor 'a' has an unknown dtype",
      safetensors("{\"a\":\(tensor(type: #""F128""#))}", data)
    ),
    Bad(
      "dtype in lower case",
      "unknown dtype",
      safetensors("{\"a\":\(tensor(type: #""f32""#))}", data)
    ),
    Bad("dtype is a number", "unknown dtype", safetensors("{\"a\":\(tensor(type: "32"))}", data)),
    Bad(
      "shape is a number",
      "malformed shape",
      safetensors("{\"a\":\(tensor(shape: "40"))}", data)
    ),
    Bad(
      "nine dimensions",
      "malformed shape",
      safetensors("{\"a\":\(tensor(shape: "[1,1,1,1,1,1,1,1,40]"))}", data)
    ),
    Bad(
      "shape and bytes differ",
      "does not fit its bytes",
      safetensors("{\"a\":\(tensor(shape: "[39]"))}", data)
    ),
    Bad(
      "shape overflows",
      "does not fit its bytes",
      safetensors("{\"a\":\(tensor(shape: "[4294967296,4294967296,4]"))}", data)
    ),
    Bad(
      "shape wraps to the right count",
      "does not fit its bytes",
      safetensors("{\"a\":\(tensor(shape: "[2305843009213693957,8]"))}", data)
    ),
    Bad(
      "byte count wraps to none",
      "does not fit its bytes",
      safetensors("{\"a\":\(tensor(shape: "[4611686018427387904]", offsets: "[0,0]"))}")
    ),
    Bad(
      "negative dimensions",
      "where a value belongs",
      safetensors("{\"a\":\(tensor(shape: "[-4,-10]"))}", data)
    ),
    Bad(
      "negative offset",
      "where a value belongs",
      safetensors("{\"a\":\(tensor(offsets: "[-160,0]"))}", data)
    ),
    Bad(
      "fraction",
      "where ']' belongs",
      safetensors("{\"a\":\(tensor(offsets: "[0,160.0]"))}", data)
    ),
    Bad("exponent", "where ']' belongs", safetensors("{\"a\":\(tensor(shape: "[4e1]"))}", data)),
    Bad(
      "leading zero",
      "out of range or malformed",
      safetensors("{\"a\":\(tensor(shape: "[040]"))}", data)
    ),
    Bad(
      "offset above 2⁶⁴",
      "out of range or malformed",
      safetensors("{\"a\":\(tensor(offsets: "[0,18446744073709551776]"))}", data)
    ),
    Bad(
      "offsets are strings",
      "malformed data_offsets",
      safetensors("{\"a\":\(tensor(offsets: #"["0","160"]"#))}", data)
    ),
    Bad(
      "offset is a boolean",
      "where a value belongs",
      safetensors("{\"a\":\(tensor(offsets: "[false,160]"))}", data)
    ),
    Bad(
      "three offsets",
      "malformed data_offsets",
      safetensors("{\"a\":\(tensor(offsets: "[0,80,160]"))}", data)
    ),
    Bad(
      "begin after end",
      "malformed data_offsets",
      safetensors("{\"a\":\(tensor(offsets: "[160,0]"))}", data)
    ),
  ]

  private static let badLayouts: [Bad] = [
    Bad(
      "overlap",
      "tensor 'b' overlaps",
      safetensors(
        """
        {"a":\(tensor(shape: "[30]", offsets: "[0,120]")),\
        "b":\(tensor(shape: "[30]", offsets: "[40,160]"))}
        """,
        data
      )
    ),
    Bad("one range twice", "overlaps", safetensors("{\"a\":\(tensor()),\"b\":\(tensor())}", data)),
    Bad(
      "hole",
      "tensor 'b' leaves a hole",
      safetensors(
        """
        {"b":\(tensor(shape: "[10]", offsets: "[120,160]")),\
        "a":\(tensor(shape: "[10]", offsets: "[0,40]"))}
        """,
        data
      )
    ),
    Bad(
      "hole at the start",
      "tensor 'a' leaves a hole",
      safetensors("{\"a\":\(tensor(shape: "[38]", offsets: "[8,160]"))}", data)
    ),
    Bad(
      "truncated by a byte",
      "truncated: 1 bytes are missing",
      safetensors(good, data.dropLast())
    ),
    Bad("no data", "truncated: 160 bytes are missing", safetensors(good)),
    Bad(
      "trailing bytes",
      "22 bytes follow the last tensor",
      safetensors(good, data + [UInt8](repeating: 0, count: 22))
    ),
    Bad(
      "too many tensors",
      "the limit is 4096",
      safetensors(
        "{"
          + (0..<4097).map { "\"t\($0)\":\(tensor(shape: "[0]", offsets: "[0,0]"))" }
          .joined(separator: ",") + "}"
      )
    ),
    Bad(
      "NaN",
      "tensor 'a' holds NaN or infinity",
      safetensors(good, data.dropLast(4) + bytes(of: [.nan]))
    ),
    Bad(
      "infinity",
      "tensor 'a' holds NaN or infinity",
      safetensors(good, bytes(of: [-.infinity]) + data.dropFirst(4))
    ),
    Bad(
      "half infinity",
      "holds NaN or infinity",
      safetensors(
        "{\"a\":\(tensor(type: #""F16""#, shape: "[1]", offsets: "[0,2]"))}",
        [0x00, 0x7C]
      )
    ),
    Bad(
      "half NaN",
      "holds NaN or infinity",
      safetensors(
        "{\"a\":\(tensor(type: #""F16""#, shape: "[1]", offsets: "[0,2]"))}",
        [0x01, 0xFC]
      )
    ),
    Bad(
      "double beyond single precision",
      "holds NaN or infinity",
      safetensors(
        "{\"a\":\(tensor(type: #""F64""#, shape: "[1]", offsets: "[0,8]"))}",
        littleEndian([1e300.bitPattern])
      )
    ),
  ]

  @Test(arguments: badFiles)
  func refusesWithAReason(_ bad: Bad) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("bad.safetensors")
    try Data(bad.bytes).write(to: URL(fileURLWithPath: path))

    expectModelError(bad.reason, subject: "'\(path)'") { try WeightStore(path: path) }
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

// MARK: - Hostile files

extension SafetensorsRefusalTests {
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

/// Expects ``EngineError/model(subject:reason:)`` with a reason that contains some words.
func expectModelError(
  _ reason: String,
  _ comment: Comment? = nil,
  subject: String? = nil,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> some Any,
) {
  let error = #expect(throws: EngineError.self, comment, sourceLocation: sourceLocation) {
    _ = try body()
  }
  guard let error else { return }
  guard case .model(let actualSubject, let actualReason) = error else {
    Issue.record("\(error) is no model error", sourceLocation: sourceLocation)
    return
  }
  #expect(!actualReason.isEmpty, comment, sourceLocation: sourceLocation)
  #expect(
    reason.isEmpty || actualReason.contains(reason),
    comment,
    sourceLocation: sourceLocation
  )
  if let subject { #expect(actualSubject == subject, comment, sourceLocation: sourceLocation) }
}

import Engine
import Foundation
import TestSupport
import Testing

/// Which weights a run takes, and that it says so.
@Suite struct ModelChoiceTests {
  private static let weights = repositoryRoot + "Models/fast/weights.safetensors"

  /// The weights of the default model for sizes up to twice the source's.
  static let small = BundledModel.all.contains { $0.name == "fast-x2" } ? "fast-x2" : "fast"

  /// What is asked for, given a source of 64×48, and the weights that are taken.
  static let choices: [(arguments: [String], model: String)] = [
    ([], "fast"), (["-s", "4"], "fast"), (["-s", "3"], "fast"), (["--size", "129x96"], "fast"),
    (["--resolution", "720p"], "fast"), (["-s", "2"], small), (["-s", "1.5"], small),
    (["-s", "0.5"], small), (["--size", "128x96"], small), (["-s", "2", "-m", "fast"], small),
    (["-s", "2", "-m", weights], weights),
  ]

  @Test(arguments: choices)
  func takesTheSmallestScaleThatReaches(arguments: [String], model: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 2)
    let run = try Program(["old.mkv", "new.mkv", "-v", "--json"] + arguments, in: folder)
    #expect(run.exitCode == 0 && run.errors.contains(" model \(model) ×"), "\(run.errors)")
    let record = try record(run.output)
    let scale = try Model(named: model).scale
    #expect(record.model == model && record.modelScale == scale && !record.precision.isEmpty)
    let estimate = try Program(
      ["old.mkv", "other.mkv", "--estimate", "--json"] + arguments,
      in: folder
    )
    #expect(try self.record(estimate.output) == record)
  }

  @Test func fittingGoesByTheSizeOfTheSource() throws {
    let folder = try TemporaryFolder()
    for (size, model) in [("640x360", Self.small), ("638x360", Self.small), ("478x270", "fast")] {
      try folder.makeClip("old.mkv", size: size, frames: 1)
      let arguments = ["old.mkv", "new.mkv", "--resolution", "720p", "--estimate", "--json"]
      #expect(try record(Program(arguments, in: folder).output).model == model)
    }
  }

  @Test func aStreamTakesTheSame() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 2)
    for (scale, model) in [("2", Self.small), ("4", "fast")] {
      let run = try Program(
        ["stream", "-i", "old.mkv", "-o", "new.mkv", "-y", "--json", "-s", scale],
        in: folder
      )
      #expect(try record(run.output).model == model, "\(run.errors)")
    }
  }

  @Test func aMeasurementTakesTheSame() throws {
    let folder = try TemporaryFolder()
    for (options, model) in [(["-s", "2"], Self.small), ([], "fast")] {
      let run = try Program(
        ["bench", "--video-size", "32x24", "--seconds", "0.1", "--frames", "2"] + options,
        in: folder
      )
      #expect(run.exitCode == 0 && run.output.hasPrefix("\(model) ×"), "\(run.output)")
    }
  }

  // The other weights are smaller or larger, or the same ones with another number in them.
  @Test func doesNotContinueWithOtherWeights() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", size: "160x120", frames: 1000)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: Self.weights))
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: folder.url.appendingPathComponent("m.safetensors"))
    let arguments = ["old.mkv", "new.mkv", "--resume", "--progress", "none", "-s", "2", "-m"]
    let script = """
      "$0" "$@" & while kill -0 $! && ! grep -qs sha256 .new.mkv.vsr-work/state.json; do sleep 0.02; done
      kill $!; wait $!
      """
    let cut = try Program(
      ["-c", script, Program.binary.path] + arguments + ["fast"],
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh")
    )
    #expect(cut.exitCode == 143, "\(cut.errors)")
    for model in ["./m.safetensors"] + (Self.small == "fast" ? [] : [Self.weights]) {
      let run = try Program(arguments + [model], in: folder)
      #expect(run.exitCode == 64 && run.errors.contains("begun with model "), "\(run.errors)")
    }
    #expect(folder.names == [".new.mkv.vsr-work", "m.safetensors", "old.mkv"])
  }

  private struct Record: Decodable, Equatable {
    let model: String
    let modelScale: Int
    let precision: String
  }

  private func record(_ json: String) throws -> Record {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Record.self, from: Data(json.utf8))
  }
}

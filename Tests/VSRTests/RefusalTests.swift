import Foundation
import TestSupport
import Testing

@Suite struct RefusalTests {
  /// Something that cannot work: what is typed, the exit code, and a part of the one line.
  struct Refusal: CustomTestStringConvertible, Sendable {
    let arguments: [String]
    let code: Int32
    let line: String
    var testDescription: String { arguments.joined(separator: " ") }
  }

  private static let noiseless = repositoryRoot + "Tests/EngineTests/Fixtures/srvgg-x2.pth"

  static let refusals = [
    Refusal(
      arguments: ["none.mp4", "o.mp4"],
      code: 66,
      line: "cannot open 'none.mp4': No such file"
    ),
    Refusal(
      arguments: ["http://127.0.0.1:1/x", "o.mp4"],
      code: 64,
      line: "is an address; vsr stream takes those"
    ),
    Refusal(
      arguments: ["text.mp4", "o.mp4", "--video-size", "64x48"],
      code: 64,
      line: "give --input-format rawvideo too"
    ),
    Refusal(
      arguments: ["text.mp4", "o.mp4", "--input-format", "rawvideo"],
      code: 64,
      line: "needs --video-size, as in 640x480"
    ),
    Refusal(
      arguments: ["stream", "--max-delay", "x"],
      code: 64,
      line: "see vsr stream --help"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "-e", "x264-params=foo=1"],
      code: 64,
      line: "cannot use codec 'libx264': Error parsing option 'foo = 1'"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "-c", "hevc", "-e", "x265-params=foo=1"],
      code: 64,
      line: "Unknown option: foo"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--crf", "20", "-e", "b=1M"],
      code: 64,
      line: "encoder option 'b=1M' says something else"
    ),
    Refusal(arguments: [".", "o.mp4"], code: 66, line: "cannot open '.': Is a directory"),
    Refusal(
      arguments: ["empty.mp4", "o.mp4"],
      code: 65,
      line: "cannot open 'empty.mp4': empty input"
    ),
    Refusal(arguments: ["text.mp4", "o.mp4"], code: 65, line: "cannot open 'text.mp4'"),
    Refusal(arguments: ["sound.m4a", "o.mp4"], code: 65, line: "there is no video in it"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "-m", "fsat"], code: 78, line: "bundled are: fast"),
    Refusal(
      arguments: [
        "clip.mp4", "o.mp4", "--precision", "int8", "-m", noiseless,
      ],
      code: 78,
      line: "it has no int8 weights; 'vsr models quantize' makes"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--precision", "int8", "--backend", "openblas"],
      code: 64,
      line: "--precision int8 needs --backend onednn"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "-m", "./cut.safetensors"],
      code: 78,
      line: "truncated"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "-m", "./bad.safetensors"],
      code: 78,
      line: "neither"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "-m", "./none.safetensors"],
      code: 78,
      line: "No such file"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.gxf"],
      code: 64,
      line: "it holds pictures of 720x576 or 720x480 only"
    ),
    Refusal(arguments: ["clip.mp4", "none/o.mp4"], code: 73, line: "cannot create 'none/o.mp4'"),
    Refusal(arguments: ["clip.mp4", "old.mp4"], code: 73, line: "-y replaces it"),
    Refusal(arguments: ["clip.mp4", "clip.mp4", "-y"], code: 73, line: "it is the input"),
    Refusal(arguments: ["clip.mp4", "link.mp4", "-y"], code: 73, line: "it is the input"),
    Refusal(
      arguments: ["clip.mp4", "/dev/full", "-f", "matroska"],
      code: 74,
      line: "No space left"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "-c", "libx246"],
      code: 64,
      line: "did you mean 'libx264'"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--pix-fmt", "yuv42p"],
      code: 64,
      line: "pixel format"
    ),
    Refusal(arguments: ["clip.mp4", "o.mp4", "-e", "no-such=1"], code: 64, line: "no such option"),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "-e", "rc-lookahead=\(Int.max)"],
      code: 64,
      line: "cannot use encoder option 'rc-lookahead="
    ),
    Refusal(arguments: ["clip.mp4", "o.zzz"], code: 64, line: "'.zzz'; usual are .mkv"),
    Refusal(arguments: ["model", "list"], code: 66, line: "did you mean 'vsr models'?"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--tile", "15"], code: 64, line: "from 16 to 65535"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--dedup", "256"], code: 64, line: "from 0 to 255"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--memory", "8"], code: 64, line: "as in 500M or 8G"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--frames", "9:3"], code: 64, line: "as in 100:200"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--start", "x"], code: 64, line: "MM:SS"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--end", "1:2:3:4"], code: 64, line: "MM:SS"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--duration", "1e9"], code: 64, line: "MM:SS"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "-s", "0"], code: 64, line: "--scale takes"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "-s", "100000"], code: 64, line: "--scale takes"),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--size", "0x0"],
      code: 64,
      line: "each from 1 to 65535"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--size", "100000x100000"],
      code: 64,
      line: "each from 1 to 65535"
    ),
    Refusal(
      arguments: ["clip.mp4", "model.safetensors", "-y", "-f", "mp4", "-m", "./model.safetensors"],
      code: 73,
      line: "this run reads it"
    ),
    Refusal(
      arguments: ["clip.mp4", "-", "-f", "matroska", "--json"],
      code: 64,
      line: "both want standard output"
    ),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--threads", "0"], code: 64, line: "--threads takes"),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--memory", "64M"],
      code: 65,
      line: "cannot work within 64 MiB"
    ),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--memory", "lots"], code: 64, line: "--memory"),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--noise", "loud"], code: 64, line: "--noise"),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--seed", "1", "-m", noiseless],
      code: 64,
      line: "--seed 1 has no effect"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--noise", "per-frame", "-m", noiseless],
      code: 64,
      line: "--noise per-frame has no effect"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--tiles", "paper"],
      code: 64,
      line: "--tiles paper has no effect: tiles for 'fast' do not overlap"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--autoencoder", noiseless],
      code: 78,
      line: "its network compact takes no autoencoder"
    ),
    Refusal(
      arguments: ["stream", "-i", "clip.mp4", "-o", "o.mp4", "--seed", "1", "-m", noiseless],
      code: 64,
      line: "has no effect"
    ),
    Refusal(arguments: ["clip.mp4", "o.mp4", "--scael", "2"], code: 64, line: "'--scale'"),
    Refusal(arguments: ["clip.mp4"], code: 64, line: "needs an input and an output"),
    Refusal(
      arguments: ["clip.mp4", "o.png", "--frames", "1", "--resume"],
      code: 64,
      line: "cannot use --resume: the output must be a video file"
    ),
    Refusal(
      arguments: ["clip.mp4", "-", "-f", "matroska", "--resume"],
      code: 64,
      line: "the output must be a video file"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--work-dir", "."],
      code: 64,
      line: "--work-dir needs --resume"
    ),
    Refusal(
      arguments: ["clip.mp4", "o.mp4", "--resume", "--work-dir", "none"],
      code: 73,
      line: "cannot create 'none/"
    ),
  ]

  @Test(arguments: refusals)
  func saysOneLineAndLeavesNothing(refusal: Refusal) throws {
    let folder = try folderOfInputs()
    let before = folder.names
    let run = try Program(refusal.arguments + ["--progress", "none"], in: folder)
    #expect(run.exitCode == refusal.code)
    #expect(run.errorLines.count == 1, "\(run.errors)")
    #expect(run.errors.contains(refusal.line), "\(run.errors)")
    #expect(run.output.isEmpty)
    #expect(folder.names == before)
    #expect(try String(contentsOfFile: folder.path("old.mp4"), encoding: .utf8) == "precious")
  }

  private func folderOfInputs() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.makeClip("clip.mp4")
    let files = FileManager.default
    let model = try #require(
      files.contents(atPath: repositoryRoot + "Models/fast/weights.safetensors")
    )
    try Data().write(to: folder.url.appendingPathComponent("empty.mp4"))
    try Data("no video at all\n".utf8).write(to: folder.url.appendingPathComponent("text.mp4"))
    try Data("precious".utf8).write(to: folder.url.appendingPathComponent("old.mp4"))
    try model.write(to: folder.url.appendingPathComponent("model.safetensors"))
    try model.dropLast(1000).write(to: folder.url.appendingPathComponent("cut.safetensors"))
    try Data(model.reversed()).write(to: folder.url.appendingPathComponent("bad.safetensors"))
    try files.createSymbolicLink(atPath: folder.path("link.mp4"), withDestinationPath: "clip.mp4")
    let sound = ["-v", "error", "-f", "lavfi", "-i", "sine=duration=0.2", folder.path("sound.m4a")]
    #expect(try Subprocess("ffmpeg", sound).exitCode == 0)
    return folder
  }
}

/// The folder of the package, with a slash.
let repositoryRoot = String(#filePath.dropLast("Tests/VSRTests/RefusalTests.swift".count))

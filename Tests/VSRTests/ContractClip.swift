import Foundation
import TestSupport
import Testing

/// One clip through the program and back: what ffprobe says about it before and after.
struct ContractClip {
  let name: String
  let input: String
  let output: String
  let source: MediaReport

  /// What the program wrote to standard error, and how it ended.
  let run: Program

  /// The file that came out; nil when the clip was refused.
  let result: MediaReport?

  /// What became of each stream, as the program tells it.
  let fates: [Fate]

  /// The stream whose picture is upscaled, in the input and in the output.
  let picture: (input: Int, output: Int)

  /// The frames that are kept when the clip is cut short; nil when it is taken whole.
  let limit: Int?

  // Kept as long as its files are read.
  private let folder: TemporaryFolder

  /// How often the sides are enlarged by the test's model.
  static let scale = 2

  struct Fate: Decodable {
    let input: Int
    let output: Int?
    let action: String
  }

  private struct Record: Decodable { let streams: [Fate] }

  // As much of a clip as is upscaled in about half a second.
  private static let mostPixels = 10_000_000

  /// Upscales the clip in `folder` with `model`; the container stays the same, and the codec if it carries
  /// data about light that others do not.
  init(_ name: String, in folder: TemporaryFolder, model: String) throws {
    self.name = name
    self.folder = folder
    let input = try SharedFolder.media.path(name)
    self.input = input
    source = try MediaReport(input)
    let file = "out." + (name.split(separator: ".").last.map(String.init) ?? "")
    output = folder.path(file)
    let pictures = source.streams.filter { $0.codecType == "video" }
    let size = try pictures.last.flatMap {
      try MediaReport.frames(input, of: $0.index, limit: 1).first
    }
    let pixels = size.map { $0.width * $0.height } ?? 1
    let affordable = max(ContractClip.mostPixels / pixels, 3)
    let count = source.packets(of: pictures.last?.index ?? 0).count
    limit = count > affordable ? affordable : nil

    let codecs = ["hevc": ["-c", "hevc"], "av1": ["-c", "av1"]]
    let codec = pictures.last?.codecName.flatMap { codecs[$0] } ?? []
    let preset = file.hasSuffix("gif") ? [] : ["--encoder-preset", "ultrafast"]
    let part = limit.map { ["--frames", "0:\($0)"] } ?? []
    run = try Program(
      [input, file, "-m", model, "-y", "-v", "--json", "--progress", "none"] + codec + preset
        + part,
      in: folder
    )
    let isDone = run.exitCode == 0 || run.exitCode == 4
    result = isDone ? try MediaReport(output) : nil
    fates = isDone ? try JSONDecoder().decode(Record.self, from: Data(run.output.utf8)).streams : []
    let upscaled = fates.first { $0.action == "upscaled" }
    picture = (upscaled?.input ?? 0, upscaled?.output ?? 0)
  }

  /// The pictures before and after.
  func frames() throws -> (before: [MediaReport.Frame], after: [MediaReport.Frame]) {
    (
      // One more, whose time is the end of the part that is kept.
      try MediaReport.frames(input, of: picture.input, limit: limit.map { $0 + 1 }),
      try MediaReport.frames(output, of: picture.output)
    )
  }

  /// The pictures before and after as small YUV or RGB, to see whether they show the same.
  func thumbnails(_ format: String) throws -> (before: Data, after: Data) {
    func thumbnail(_ path: String, _ stream: Int) throws -> Data {
      try Subprocess(
        "ffmpeg",
        [
          "-v", "quiet", "-i", path, "-map", "0:\(stream)", "-frames:v", "3", "-fps_mode",
          "passthrough", "-vf", "scale=48:32:flags=area", "-pix_fmt", format, "-f", "rawvideo", "-",
        ]
      ).output
    }
    return (try thumbnail(input, picture.input), try thumbnail(output, picture.output))
  }

  /// How opaque the pictures of a file are, small.
  func alphaThumbnail(_ path: String, _ stream: Int) throws -> Data {
    let isVP9 = path.hasSuffix("webm")
    return try Subprocess(
      "ffmpeg",
      ["-v", "quiet"] + (isVP9 ? ["-c:v", "libvpx-vp9"] : []) + [
        "-i", path, "-map", "0:\(stream)", "-frames:v", "3", "-vf",
        "alphaextract,scale=48:32:flags=area:in_range=full:out_range=full", "-pix_fmt", "gray",
        "-f", "rawvideo", "-",
      ]
    ).output
  }

  /// Why a stream was left out, in the program's words; nil when it said nothing.
  func reason(for stream: Int) -> String? {
    let line = run.errorLines.first { $0.contains("left out: stream \(stream) ") }
    return line.flatMap { line in
      line.range(of: "), ").map { String(line[$0.upperBound...]) }
        ?? line.range(of: "); ").map { String(line[$0.upperBound...]) }
    }
  }

  /// Whether the program said a line with these words.
  func says(_ words: String) -> Bool { run.errorLines.contains { $0.contains(words) } }
}

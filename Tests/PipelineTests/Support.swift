import Engine
import FFmpegC
import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// An "engine" that repeats every pixel `factor` times in both directions.
func nearest(_ factor: Int) -> Transcode.Upscale {
  { image throws(EngineError) in
    let result = Image(width: image.width * factor, height: image.height * factor)
    for index in 0..<Image.planeCount {
      let (from, to) = (image.plane(index), result.plane(index))
      for y in 0..<result.height {
        let row = from + y / factor * image.stride
        let target = to + y * result.stride
        for x in 0..<image.width {
          for repeated in 0..<factor { target[x * factor + repeated] = row[x] }
        }
      }
    }
    return PendingImage(result)
  }
}

/// A clip of 50 frames at 25 per second with sound, made by ffmpeg.
func madeClip(_ folder: TemporaryFolder, _ name: String = "in.mkv", extra: [String] = [])
  throws -> String
{
  let path = folder.path(name)
  let made = try Subprocess(
    "ffmpeg",
    [
      "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2",
      "-f", "lavfi", "-i", "sine=frequency=440:duration=2", "-c:v", "libx264", "-preset",
      "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac",
    ] + extra + [path]
  )
  try #require(made.exitCode == 0)
  return path
}

/// A file that ffmpeg makes by these arguments.
func made(
  _ folder: TemporaryFolder,
  _ arguments: [String],
  _ name: String = "made.mkv",
) throws -> String {
  let run = try Subprocess("ffmpeg", ["-v", "error"] + arguments + [folder.path(name)])
  try #require(run.exitCode == 0)
  return folder.path(name)
}

/// The clip with a cover: its first picture.
func coveredClip(_ folder: TemporaryFolder) throws -> String {
  let clip = try madeClip(folder, "plain.mkv")
  return try made(
    folder,
    ["-i", clip, "-i", clip, "-map", "0", "-map", "1:v", "-c", "copy", "-c:v:1", "mjpeg"]
      + ["-pix_fmt:v:1", "yuvj420p", "-frames:v:1", "1", "-disposition:v:1", "attached_pic"],
    "covered.mp4"
  )
}

/// A file in which ffmpeg reads of two chapters of a second each.
func twoChapters(_ folder: TemporaryFolder) throws -> String {
  let chapters = """
    ;FFMETADATA1
    [CHAPTER]
    TIMEBASE=1/1
    START=0
    END=1
    [CHAPTER]
    TIMEBASE=1/1
    START=1
    END=2
    """
  let path = folder.path("chapters")
  try chapters.write(toFile: path, atomically: true, encoding: .utf8)
  return path
}

/// Options for a quick run on a whole file.
func options(_ input: String, _ output: String, times factor: Double = 2) -> TranscodeOptions {
  var result = TranscodeOptions(
    input: InputOptions(MediaPath(input)),
    output: OutputOptions(MediaPath(output), size: .times(factor))
  )
  result.input.decoderThreads = 1
  result.output.encoder.threads = 1
  return result
}

/// The presentation times of the frames of the upscaled stream, in seconds.
func frameTimes(_ path: String) throws -> [Double] {
  let input = InputOptions(MediaPath(path))
  var opened = try OpenedInput(input, Cancellation())
  var times: [Double] = []
  func drain(_ pictures: inout PictureSource) throws {
    while let frame = try pictures.next() {
      times.append(Double(pictures.time(of: frame).pts) * pictures.timeBase.value)
    }
  }
  try drain(&opened.pictures)
  while let packet = try opened.demuxer.read() {
    guard packet.streamIndex == opened.stream else { continue }
    try opened.pictures.send(packet)
    try drain(&opened.pictures)
  }
  opened.pictures.finish()
  try drain(&opened.pictures)
  return times
}

/// A packet as it lies in a file, for comparison.
struct PacketFacts: Hashable {
  let stream: Int
  let seconds: Double
  let bytes: [UInt8]
}

/// The packets of every stream but the upscaled one, by stream and in order.
func copiedPackets(_ path: String, picture: Int) throws -> [Int: [PacketFacts]] {
  var demuxer = try Demuxer(InputOptions(MediaPath(path)), cancellation: Cancellation())
  var result: [Int: [PacketFacts]] = [:]
  while let packet = try demuxer.read() {
    guard packet.streamIndex != picture, let time = packet.time else { continue }
    let native = packet.native.pointee
    let bytes = UnsafeBufferPointer(start: native.data, count: Int(native.size))
    // Tenths of milliseconds: containers round in different ways.
    let seconds = (Double(time.ticks) * time.timeBase.value * 1000).rounded() / 1000
    result[packet.streamIndex, default: []].append(
      PacketFacts(stream: packet.streamIndex, seconds: seconds, bytes: Array(bytes))
    )
  }
  return result
}

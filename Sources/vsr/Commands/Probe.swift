internal import ArgumentParser
internal import Pipeline

/// `vsr probe`: what is in a file.
struct Probe: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what is in a file, and which stream would be upscaled."
  )

  @Argument(help: ArgumentHelp("The file to look into.", valueName: "in"))
  var input: MediaPath

  @OptionGroup(title: "Input") var inputArguments: InputArguments

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    Signals.exitOnEnding()
    let info = try MediaInfo(reading: inputArguments.options(for: input))
    try Console.print(json ? info.json : info.lines.joined(separator: "\n"))
  }
}

extension MediaInfo {
  fileprivate var lines: [String] {
    var parts = ["format \(format)"]
    if let duration { parts.append("\(duration.formatted(3)) s") }
    if let bitRate { parts.append("\(bitRate / 1000) kbit/s") }
    if !chapters.isEmpty { parts.append("\(chapters.count) chapters") }
    let rows = streams.map { $0.line(isUpscaled: $0.index == pictureStream) }
    let verdict = pictureStream == nil ? ["no video stream: vsr cannot upscale this"] : []
    return [parts.joined(separator: ", ")] + rows + verdict
  }
}

extension MediaInfo.Stream {
  fileprivate func line(isUpscaled: Bool) -> String {
    var parts = ["\(kind) \(codec)"]
    if let picture { parts += picture.parts }
    if let sampleRate, let channels {
      parts.append("\(sampleRate) Hz, \(channels.counted("channel"))")
    }
    if let language { parts.append(language.printable) }
    if let title { parts.append("'\(title.printable)'") }
    parts += dispositions + sideData
    return "  \(isUpscaled ? "*" : " ") \(index): " + parts.joined(separator: ", ")
  }
}

extension MediaInfo.Picture {
  fileprivate var parts: [String] {
    var parts = ["\(width)x\(height)", pixelFormat]
    if let pixelShape { parts.append("pixels \(pixelShape)") }
    if let averageFrameRate { parts.append("\(averageFrameRate) fps") }
    if let frameCount { parts.append(frameCount.counted("frame")) }
    parts.append("\(matrix)/\(primaries)/\(transfer)/\(range)")
    if quarterTurns != 0 { parts.append("turned by \(quarterTurns * 90)°") }
    if fieldOrder != "progressive" && fieldOrder != "unknown" {
      parts.append("interlaced \(fieldOrder)")
    }
    return parts
  }
}

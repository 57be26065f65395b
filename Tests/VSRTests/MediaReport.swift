import Foundation
import TestSupport
import Testing

/// What ffprobe says about a file.
struct MediaReport: Decodable {
  /// One stream; keys that ffprobe leaves out are nil.
  struct Stream: Decodable {
    let index: Int
    let codecType: String?
    let codecName: String?
    let pixFmt: String?
    let sampleAspectRatio: String?
    let disposition: [String: Int]?
    let tags: [String: String]?
    let sideDataList: [SideData]?
  }

  /// What is known of the side data of a stream: its kind, and how far the picture is turned.
  struct SideData: Decodable {
    let sideDataType: String?
    let rotation: Double?
  }

  struct Chapter: Decodable {
    let startTime: String
    let endTime: String
    let tags: [String: String]?
  }

  struct Container: Decodable {
    let tags: [String: String]?
  }

  struct Packet: Decodable {
    let streamIndex: Int
    let ptsTime: String?
    let dataHash: String?
  }

  /// One decoded picture.
  struct Frame: Decodable {
    let bestEffortTimestampTime: String?
    let width: Int
    let height: Int
    let pixFmt: String
    let interlacedFrame: Int?
    let colorSpace: String?
    let colorPrimaries: String?
    let colorTransfer: String?
    let colorRange: String?
    let chromaLocation: String?

    var seconds: Double? { bestEffortTimestampTime.flatMap(Double.init) }
  }

  let streams: [Stream]
  let packets: [Packet]
  let chapters: [Chapter]
  let format: Container?

  /// Reads streams, chapters, tags and the hashes of all packets.
  init(_ path: String) throws {
    let sections = ["-show_streams", "-show_chapters", "-show_format", "-show_packets"]
    self = try MediaReport.read(MediaReport.self, sections + ["-show_data_hash", "md5", path])
  }

  /// The pictures of a stream in the order in which they are shown, or the first `limit` of them.
  static func frames(_ path: String, of stream: Int, limit: Int? = nil) throws -> [Frame] {
    struct Answer: Decodable { let frames: [Frame]? }
    let select = ["-show_frames", "-select_streams", "\(stream)"] + interval(limit)
    let frames = try read(Answer.self, select + [path]).frames ?? []
    return Array(frames.prefix(limit ?? frames.count))
  }

  /// The side data of the pictures of a stream as lines of text, picture by picture.
  static func sideData(_ path: String, of stream: Int, limit: Int? = nil) throws -> [[String]] {
    let select = ["-show_frames", "-select_streams", "\(stream)"] + interval(limit)
    let entries = ["-show_entries", "frame=media_type:frame_side_data_list", "-of", "compact"]
    let run = try Subprocess("ffprobe", ["-v", "quiet"] + entries + select + [path])
    var frames: [[String]] = []
    for line in run.text.split(separator: "\n") {
      if line.hasPrefix("frame|") { frames.append([]) }
      guard let start = line.range(of: "side_data_type="), !frames.isEmpty else { continue }
      frames[frames.count - 1].append(String(line[start.upperBound...]))
    }
    return Array(frames.prefix(limit ?? frames.count))
  }

  /// The side data in the header of a stream as lines of text.
  static func headerData(_ path: String, of stream: Int) throws -> [String] {
    let select = ["-select_streams", "\(stream)", "-show_entries", "stream=index:stream_side_data"]
    let run = try Subprocess("ffprobe", ["-v", "quiet", "-of", "compact"] + select + [path])
    return run.text.split(separator: "\n").compactMap { line in
      line.range(of: "side_data_type=").map { String(line[$0.upperBound...]) }
    }
  }

  // Pictures are stored in another order than they are shown: some more packets complete them.
  private static func interval(_ limit: Int?) -> [String] {
    limit.map { ["-read_intervals", "%+#\($0 + 40)"] } ?? []
  }

  private static func read<Answer: Decodable>(
    _ type: Answer.Type,
    _ arguments: [String],
  ) throws -> Answer {
    let run = try Subprocess("ffprobe", ["-v", "quiet", "-of", "json"] + arguments)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: run.output)
  }
}

extension MediaReport {
  /// The packets of a stream in the order of the file.
  func packets(of stream: Int) -> [Packet] { packets.filter { $0.streamIndex == stream } }
}

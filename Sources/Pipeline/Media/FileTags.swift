internal import FFmpegC

/// The names of all tags of a file and its streams, in small letters and without a language such as `-eng`, and what
/// the streams are for.
struct FileTags {
  private(set) var names: Set<String> = []

  // What containers and tools write about themselves or their packets: nobody misses the old one.
  private static let own: Set<String> = [
    "major_brand", "minor_version", "compatible_brands", "encoder", "duration", "vendor_id",
    "handler_name", "alpha_mode", "bps", "number_of_frames", "number_of_bytes", "_statistics_tags",
    "_statistics_writing_app", "_statistics_writing_date_utc", "filename", "mimetype",
  ]

  // What movie files and Matroska say where nothing is known.
  private static let unknown = ["creation_time": "1970-01-01", "language": "und"]

  // Not "default", which every container decides in its own way, nor what only says that a stream is a cover.
  private static let purposes = [
    AV_DISPOSITION_DUB: "dub", AV_DISPOSITION_ORIGINAL: "original",
    AV_DISPOSITION_COMMENT: "comment",
    AV_DISPOSITION_LYRICS: "lyrics", AV_DISPOSITION_KARAOKE: "karaoke",
    AV_DISPOSITION_FORCED: "forced", AV_DISPOSITION_HEARING_IMPAIRED: "hearing_impaired",
    AV_DISPOSITION_VISUAL_IMPAIRED: "visual_impaired", AV_DISPOSITION_DESCRIPTIONS: "descriptions",
  ]

  /// Reads the tags of a file and of some of its streams, or of all.
  init(_ native: UnsafeMutablePointer<AVFormatContext>, streams: [Int]? = nil) {
    unsafe add(native.pointee.metadata)
    for index in unsafe streams ?? Array(0..<Int(native.pointee.nb_streams)) {
      guard let stream = unsafe native.pointee.streams[index]?.pointee else { continue }
      unsafe add(stream.metadata)
      for (bit, name) in FileTags.purposes where unsafe stream.disposition & bit != 0 {
        names.insert("disposition \(name)")
      }
    }
  }

  private mutating func add(_ dictionary: OpaquePointer?) {
    for (name, value) in unsafe entries(dictionary) {
      let name = name.lowercased().replacing(/-[a-z]{3}$/, with: "")
      if FileTags.own.contains(name) { continue }
      if let unknown = FileTags.unknown[name], value.hasPrefix(unknown) { continue }
      names.insert(name)
    }
  }

  /// The names of tags that `other` has and this one does not, in order.
  func missing(of other: FileTags) -> [String] { other.names.subtracting(names).sorted() }
}

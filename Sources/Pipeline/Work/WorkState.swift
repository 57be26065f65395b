internal import FoundationEssentials
internal import Glibc

/// What `state.json` in a work folder says: whose work it is, and what of it is finished.
struct WorkState: Codable {
  /// A file of encoded pictures.
  struct Segment: Codable, Hashable {
    let frames: Int
    let bytes: Int
    let sha256: String
  }

  /// A file as it is on the disk.
  struct File: Codable, Hashable {
    let device: UInt
    let inode: UInt
    let bytes: Int
    let modified: [Int]

    /// The file at `path`, or `nil` when there is none.
    init?(_ path: MediaPath) {
      var status = stat()
      guard unsafe stat(path.bytes, &status) == 0 else { return nil }
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      bytes = Int(status.st_size)
      modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }
  }

  private static let currentFormat = 2
  static let name = "state.json"

  private(set) var format = WorkState.currentFormat

  /// What tells the input from others.
  let input: [WorkOptions.Fact]

  /// What else decides on the output.
  let facts: [WorkOptions.Fact]

  /// The segments that are finished, in their order.
  var segments: [Segment] = []

  /// The complete output, once it may have got its name.
  var output: File?

  /// The state of a run that has finished nothing.
  init(input: [WorkOptions.Fact], facts: [WorkOptions.Fact]) {
    self.input = input
    self.facts = facts
  }

  /// The frames in all finished segments.
  var frameCount: Int { segments.reduce(0) { $0 + $1.frames } }

  /// Whether the file at `path` is the complete output.
  func hasMade(_ path: MediaPath) -> Bool { output != nil && output == File(path) }

  /// Reads the state in `folder`; `nil` when there is none or it cannot be understood.
  init?(reading folder: MediaPath) {
    guard let bytes = WorkState.contents(of: folder.appending(WorkState.name)),
      let state = try? JSONDecoder().decode(WorkState.self, from: Data(bytes)),
      state.format == WorkState.currentFormat
    else { return nil }
    self = state
  }

  /// Replaces the state in `folder`: at any time there is the old one or the new one, complete.
  func write(to folder: MediaPath, _ cancellation: Cancellation) throws(MediaError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("text and whole numbers can always be written")
    }
    let path = folder.appending(WorkState.name)
    let file = try OutputFile(path, overwrite: true, cancellation: cancellation)
    try file.write([UInt8](data))
    try file.finish()
  }

  // A day of the shortest segments takes less.
  private static let largestByteCount = 64 << 20

  private static func contents(of path: MediaPath) -> [UInt8]? {
    let descriptor = unsafe open(path.bytes, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.isRegularFile,
      status.st_size <= largestByteCount
    else { return nil }
    return readAll(Int(status.st_size), of: descriptor, at: 0).bytes
  }
}

internal import Glibc

/// The tensors of a model file, checked as a whole before the first one is read.
public struct WeightStore: Sendable {
  /// A tensor of weights as PyTorch lays it out: row-major, dimensions from slowest to fastest.
  public struct Weights: Sendable {
    /// The sizes of the dimensions.
    public let dimensions: [Int]

    /// The elements.
    public let values: [Float]
  }

  /// What messages call the file.
  public let subject: String

  /// The strings that describe the model.
  public let metadata: [String: String]

  private let bytes: FileBytes
  private let entries: [[UInt8]: SafetensorsHeader.Entry]
  private let dataOffset: Int

  /// Reads and checks a safetensors file.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(path: String) throws(EngineError) {
    let subject = "'\(path)'"
    try self.init(FileBytes(path: path, subject: subject), subject: subject)
  }

  /// Checks a safetensors file that lies in static memory, such as a bundled model.
  public init(
    staticBytes: UnsafeRawBufferPointer,
    subject: String,
  ) throws(EngineError) {
    try self.init(FileBytes(staticBytes), subject: subject)
  }

  private init(_ bytes: FileBytes, subject: String) throws(EngineError) {
    do throws(SafetensorsHeader.Failure) {
      let header = try SafetensorsHeader(bytes.buffer)
      entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
      metadata = header.metadata
      dataOffset = header.dataOffset
    } catch {
      throw .model(subject: subject, reason: error.reason)
    }
    self.bytes = bytes
    self.subject = subject
    try checkFinite()
  }

  /// The names of all tensors, sorted.
  public var names: [String] {
    entries.keys.map { String(decoding: $0, as: UTF8.self) }.sorted()
  }

  /// Whether there is a tensor of this name.
  public func contains(_ name: String) -> Bool { entries[Array(name.utf8)] != nil }

  /// The dimensions of a tensor; nil when there is none of this name.
  public func dimensions(_ name: String) -> [Int]? { entries[Array(name.utf8)]?.dimensions }

  /// Returns a tensor.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when it is missing or has other dimensions.
  public func weights(
    _ name: String,
    dimensions: [Int]? = nil,
  ) throws(EngineError) -> Weights {
    guard let entry = entries[Array(name.utf8)] else {
      throw failure("tensor '\(name)' is missing")
    }
    if let dimensions, dimensions != entry.dimensions {
      throw failure("tensor '\(name)' has the shape \(entry.dimensions), not \(dimensions)")
    }
    guard let values = entry.type.floats(data(of: entry)) else {
      throw failure("tensor '\(name)' holds \(entry.type.rawValue), not floats")
    }
    return Weights(dimensions: entry.dimensions, values: values)
  }

  /// An error about this file.
  func failure(_ reason: String) -> EngineError { .model(subject: subject, reason: reason) }

  private func data(of entry: SafetensorsHeader.Entry) -> UnsafeRawBufferPointer {
    let start = dataOffset + entry.range.lowerBound
    return UnsafeRawBufferPointer(rebasing: bytes.buffer[start..<(start + entry.range.count)])
  }

  private func checkFinite() throws(EngineError) {
    for entry in entries.values {
      guard let values = entry.type.floats(data(of: entry)) else { continue }
      guard values.allSatisfy(\.isFinite) else {
        throw failure("tensor \(escaped(entry.name)) holds NaN or infinity")
      }
    }
  }
}

/// The contents of a file, or bytes that are always there.
///
/// A file is read into memory, because a mapped file that shrinks would end the process. Safe to share:
/// immutable once made.
private final class FileBytes: @unchecked Sendable {
  let buffer: UnsafeRawBufferPointer
  private let isOwned: Bool

  // Twice the largest network that we know, in single precision.
  private static let byteLimit = 2 << 30

  init(_ staticBytes: UnsafeRawBufferPointer) {
    buffer = staticBytes
    isOwned = false
  }

  init(path: String, subject: String) throws(EngineError) {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      throw .model(subject: subject, reason: String(cString: strerror(errno)))
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .model(subject: subject, reason: "it is not a regular file")
    }
    guard status.st_size <= FileBytes.byteLimit else {
      throw .model(subject: subject, reason: "it has \(status.st_size) bytes; the limit is 2 GiB")
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Int(status.st_size),
      alignment: 64
    )
    guard FileBytes.fill(memory, from: file) else {
      memory.deallocate()
      throw .model(subject: subject, reason: "it cannot be read to its end")
    }
    buffer = UnsafeRawBufferPointer(memory)
    isOwned = true
  }

  deinit {
    if isOwned { buffer.deallocate() }
  }

  private static func fill(_ memory: UnsafeMutableRawBufferPointer, from file: Int32) -> Bool {
    var count = 0
    while count < memory.count {
      let part = UnsafeMutableRawBufferPointer(rebasing: memory[count...])
      let got = read(file, part.baseAddress, part.count)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { return false }
      count += got
    }
    return true
  }
}

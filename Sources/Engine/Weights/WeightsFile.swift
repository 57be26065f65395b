internal import Glibc

/// The bytes of a model file, read by ranges: an open file, or memory that is always there.
///
/// Nothing is kept, so large weights exist once, as what the network makes of them; and nothing is mapped,
/// because a mapped file that shrinks would end the process. Safe to share: `pread` has no position.
final class WeightsFile: @unchecked Sendable {
  /// The size of the file when it was opened.
  let byteCount: Int

  private enum Source {
    case file(descriptor: Int32)
    case memory(UnsafeRawBufferPointer)
  }

  private let source: Source

  // Twice the largest network that we know, in single precision.
  static let byteLimit = 2 << 30

  init(_ memory: UnsafeRawBufferPointer) {
    source = .memory(memory)
    byteCount = memory.count
  }

  /// Opens the file at a path, given as bytes that end in zero.
  init(path: [CChar]) throws(WeightsFault) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw WeightsFault(String(cString: strerror(errno))) }
    source = .file(descriptor: descriptor)
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    byteCount = Int(status.st_size)
    guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
      throw WeightsFault("it is not a regular file")
    }
    guard byteCount <= WeightsFile.byteLimit else {
      throw WeightsFault("it has \(byteCount) bytes; the limit is 2 GiB")
    }
  }

  deinit {
    if case .file(let descriptor) = source { close(descriptor) }
  }

  /// The bytes of a range that lies inside the file.
  func bytes(_ range: Range<Int>) throws(WeightsFault) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "ranges lie in the file")
    switch source {
    case .memory(let memory): return Array(memory[range])
    case .file(let descriptor): return try WeightsFile.read(range, from: descriptor)
    }
  }

  private static func read(_ range: Range<Int>, from file: Int32) throws(WeightsFault) -> [UInt8] {
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { memory, count in
      while count < range.count {
        let part = UnsafeMutableBufferPointer(rebasing: memory[count..<range.count])
        let got = pread(file, part.baseAddress, part.count, range.lowerBound + count)
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { return }
        count += got
      }
    }
    guard bytes.count == range.count else { throw WeightsFault("it cannot be read to its end") }
    return bytes
  }
}

extension WeightsFile {
  // Large enough that calls cost nothing, small enough for the cache.
  private static let pieceByteCount = 1 << 20

  /// Calls `body` with the bytes of a range, piece by piece.
  func forEachPiece(of range: Range<Int>, _ body: ([UInt8]) -> Void) throws(WeightsFault) {
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceByteCount) {
      body(try bytes(start..<min(start + Self.pieceByteCount, range.upperBound)))
    }
  }
}

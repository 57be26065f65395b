internal import FFmpegC
internal import Glibc

/// An input from the network, connected again where it breaks off.
///
/// A transport stream goes on anywhere, and FLV after its header; other formats cannot be continued and end, as
/// does a file of a web server that was read whole.
final class NetworkInput {
  private let address: NetworkAddress
  private let listens: Bool
  private let attempts: Int
  private let cancellation: Cancellation
  private var connection: NetworkConnection?
  private var format: Format?

  /// Whether the connection broke off for good before the other side had ended it.
  private(set) var isBroken = false

  private enum Format {
    case transport, flash, other
  }

  // 9 bytes of header and the length of the tag before the first.
  private static let flashHeaderCount: Int32 = 13

  /// Connects; tries again up to `attempts` times.
  init(
    _ address: NetworkAddress,
    listens: Bool,
    attempts: Int,
    _ cancellation: Cancellation,
  ) throws(MediaError) {
    self.address = address
    self.listens = listens
    self.attempts = attempts
    self.cancellation = cancellation
    do throws(MediaError) {
      connection = try NetworkConnection(address, writes: false, listens: listens, cancellation)
    } catch {
      guard reconnect() else { throw error }
    }
  }

  /// Reads as libav expects it: a count, or a negative code.
  func read(_ buffer: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Int32 {
    while true {
      let result = unsafe connection?.read(buffer, count) ?? FFMPEGC_EOF
      if result > 0 {
        if format == nil { format = unsafe NetworkInput.format(buffer, result) }
        return result
      }
      guard format != .other, !isComplete, reconnect(), skipHeader() else {
        isBroken = endsInOrder && result != FFMPEGC_EOF && !cancellation.isInputOver
        return cancellation.isRequested ? FFMPEGC_EXIT : FFMPEGC_EOF
      }
    }
  }

  // A file would only begin again.
  private var isComplete: Bool { connection?.isComplete == true }

  // Whether the end is told from a connection that breaks off; to other protocols they are the same.
  private var endsInOrder: Bool { [.http, .https, .tcp].contains(address.scheme) }

  private static func format(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int32) -> Format {
    let start = unsafe Array(UnsafeBufferPointer(start: bytes, count: min(Int(count), 3)))
    if start == Array("FLV".utf8) { return .flash }
    // Every packet of a transport stream begins with this.
    return start.first == 0x47 ? .transport : .other
  }

  private func reconnect() -> Bool {
    connection = nil
    for attempt in 0..<attempts {
      guard pause(NetworkInput.halfSeconds(before: attempt)) else { return false }
      connection = try? NetworkConnection(address, writes: false, listens: listens, cancellation)
      if connection != nil { return true }
    }
    return false
  }

  /// How long to wait before an attempt, counted from 0: half a second, and longer from time to time.
  static func halfSeconds(before attempt: Int) -> Int { 1 << min(attempt, 3) }

  // In steps short enough for an interrupt; false after one.
  private func pause(_ length: Int) -> Bool {
    for _ in 0..<(length * 5) {
      if cancellation.isInputOver { return false }
      usleep(100_000)
    }
    return !cancellation.isInputOver
  }

  private func skipHeader() -> Bool {
    guard format == .flash else { return true }
    var header = [UInt8](repeating: 0, count: Int(NetworkInput.flashHeaderCount))
    var missing = NetworkInput.flashHeaderCount
    while missing > 0 {
      let count = unsafe header.withUnsafeMutableBufferPointer { buffer in
        unsafe buffer.baseAddress.map { unsafe connection?.read($0, missing) ?? -1 } ?? -1
      }
      guard count > 0 else { return false }
      missing -= count
    }
    return true
  }
}

/// The pixels that a vector-quantised picture consists of.
public struct Codebook: Sendable {
  /// The number of codes.
  public let count: Int

  /// Samples per code.
  public let channels: Int

  /// The codes, one after the other.
  public let codes: [Float]

  /// Creates a codebook.
  public init(count: Int, channels: Int, codes: [Float]) {
    precondition(count > 0 && codes.count == count * channels, "as many samples as codes have")
    self.count = count
    self.channels = channels
    self.codes = codes
  }
}

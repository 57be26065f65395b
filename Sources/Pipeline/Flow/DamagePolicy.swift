/// How much damage in the input a run accepts.
public struct DamagePolicy: Hashable, Sendable {
  /// The largest share of damaged pictures, 0…1.
  public var maximumErrorRate = 1.0

  /// Whether any damage ends the run, as if the input were no video.
  public var isStrict = false

  /// Accepts all damage, which is then counted.
  public init() {}

  /// - Throws: A ``MediaError`` of kind `refused` or `damaged` when the counts are not acceptable.
  func check(_ counts: RunCounters.Values, _ input: MediaPath) throws(MediaError) {
    guard counts.isDamaged else { return }
    if isStrict {
      throw MediaError(
        .refused,
        .decode,
        input.quoted,
        "it is damaged, and --strict accepts no damage"
      )
    }
    let pictures = max(counts.decoded, counts.damagedPictures, 1)
    let rate = Double(counts.damagedPictures) / Double(pictures)
    if rate > maximumErrorRate {
      throw MediaError(
        .damaged,
        .decode,
        input.quoted,
        "\(counts.damagedPictures) of \(pictures) pictures are damaged, more than --max-error-rate accepts",
      )
    }
  }
}

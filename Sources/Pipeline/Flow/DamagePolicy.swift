/// How much damage in the input a run accepts.
public struct DamagePolicy: Hashable, Sendable {
  /// The most damages for each picture, 0…1: of pictures, of sound and of the file.
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
    // What pictures a damaged place has cost is not known: it counts as one.
    let damages = counts.damagedPictures + counts.damagedPackets
    let pictures = max(counts.decoded, damages, 1)
    if Double(damages) / Double(pictures) > maximumErrorRate {
      throw MediaError(
        .damaged,
        .decode,
        input.quoted,
        "there are \(damages) damages in \(pictures) pictures, more than --max-error-rate accepts",
      )
    }
  }
}

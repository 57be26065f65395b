internal import Engine

/// Gives a picture that equals the one before the same result, without work by the engine.
///
/// Screen recordings and animation repeat many pictures; their times are kept as they are.
struct RepeatedPictures {
  /// Pictures that were equal to the one before.
  private(set) var count = 0

  private let areReused: Bool
  private var last: (image: Image, picture: PendingImage)?

  /// Starts without a picture; unless results `areReused`, every picture is upscaled.
  init(areReused: Bool) {
    self.areReused = areReused
  }

  /// The result for `image`: the last one if the pictures are equal sample by sample, else from
  /// `upscale`.
  mutating func picture(
    for image: Image,
    upscale: Transcode.Upscale,
  ) throws(EngineError) -> PendingImage {
    if let last, last.image.hasSameSamples(as: image) {
      count += 1
      return last.picture
    }
    let picture = try upscale(image)
    if areReused { last = (image, picture) }
    return picture
  }

  /// Lets the next picture be upscaled whatever came before it.
  mutating func forget() { last = nil }
}

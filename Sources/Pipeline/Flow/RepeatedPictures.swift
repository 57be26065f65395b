internal import Engine

/// Gives a picture that equals the last upscaled one the same result, without work by the engine.
///
/// Screen recordings and animation repeat many pictures; their times are kept as they are.
struct RepeatedPictures {
  /// Pictures that were equal to the last upscaled one.
  private(set) var count = 0

  private let tolerance: Float?
  private var last: (image: Image, picture: PendingImage)?

  /// Starts without a picture; samples of equal ones differ by no more than `tolerance`, and without it
  /// every picture is upscaled.
  init(tolerance: Float?) {
    self.tolerance = tolerance
  }

  /// The result for `image`: the last one if the pictures are equal, else from `upscale`.
  mutating func picture(
    for image: Image,
    upscale: Transcode.Upscale,
  ) throws(EngineError) -> PendingImage {
    if let last, let tolerance, last.image.hasSameSamples(as: image, within: tolerance) {
      count += 1
      return last.picture
    }
    let picture = try upscale(image)
    if tolerance != nil { last = (image, picture) }
    return picture
  }
}

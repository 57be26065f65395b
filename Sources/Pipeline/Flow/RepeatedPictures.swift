internal import Engine

/// Gives a picture that equals the last upscaled one the same result, without work by the engine.
///
/// Screen recordings and animation repeat many pictures; their times are kept as they are.
struct RepeatedPictures {
  /// Pictures that were equal to the last upscaled one.
  private(set) var count = 0

  private let tolerance: Float?
  private var last: (image: Image, picture: PendingImage, rung: Int)?

  /// Starts without a picture; samples of equal ones differ by no more than `tolerance`, and without it
  /// every picture is upscaled.
  init(tolerance: Float?) {
    self.tolerance = tolerance
  }

  /// The result for `image`: the last one if the pictures are equal and it is no worse, else from `upscale`,
  /// which is the way of a `rung`, 0 for the best.
  mutating func picture(
    for image: Image,
    rung: Int,
    upscale: Transcode.Upscale,
  ) throws(EngineError) -> PendingImage {
    if let last, let tolerance, last.rung <= rung,
      last.image.hasSameSamples(as: image, within: tolerance)
    {
      count += 1
      return last.picture
    }
    let picture = try upscale(image)
    if tolerance != nil { last = (image, picture, rung) }
    return picture
  }

  /// Lets the next picture be upscaled whatever came before it.
  mutating func forget() { last = nil }
}

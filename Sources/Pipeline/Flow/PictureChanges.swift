internal import FFmpegC

/// What a later picture has and the first one has not: the output is made after the first.
public enum PictureChange: Hashable, Sendable, CaseIterable {
  case size
  case pixelShape
  case colours
  case transparency

  /// What a person should know about it.
  var notice: Notice {
    switch self {
    case .size: .warning("later pictures have another size; they are fitted to the first one's")
    case .pixelShape:
      .warning("later pictures have pixels of another shape; the first one's is kept")
    case .colours:
      .warning(
        "later pictures have colours; the first is gray, and so is the output; see --pix-fmt"
      )
    case .transparency:
      .warning("later pictures are transparent; the first is not, and so the output is not")
    }
  }
}

/// Compares pictures with the first one.
struct PictureChanges {
  /// What was found until now.
  private(set) var found: Set<PictureChange> = []

  private let target: PixelLayout
  private var first: Form?
  private var last: Form?

  private struct Form: Hashable {
    let width: Int
    let height: Int
    let shape: Rational
    let format: Int32
  }

  /// Of pictures that become such with the layout `target`.
  init(target: PixelLayout) { self.target = target }

  /// Notes in what `frame` differs; quick for one that is like the one before.
  mutating func look(at frame: borrowing Frame) throws(MediaError) {
    let form = Form(
      width: frame.width,
      height: frame.height,
      shape: unsafe Rational(frame.native.pointee.sample_aspect_ratio),
      format: frame.format.rawValue,
    )
    guard form != last else { return }
    last = form
    guard let first else { return first = form }
    if (form.width, form.height) != (first.width, first.height) { found.insert(.size) }
    if form.shape != first.shape { found.insert(.pixelShape) }
    guard form.format != first.format else { return }
    let layout = try PixelLayout(of: frame)
    if layout.family != .gray && target.family == .gray { found.insert(.colours) }
    if layout.hasAlpha && !target.hasAlpha { found.insert(.transparency) }
  }
}

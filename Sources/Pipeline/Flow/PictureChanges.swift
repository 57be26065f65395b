internal import FFmpegC

/// What a later picture has and the first one has not: the output is made after the first.
public enum PictureChange: Hashable, Sendable, CaseIterable {
  case size
  case pixelShape
  case colours
  case transparency
  case orientation

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
    case .orientation:
      .warning("later pictures ask for another turn; all are turned as the first one says")
    }
  }
}

/// Compares pictures with the first one.
struct PictureChanges: ~Copyable {
  /// What was found until now.
  private(set) var found: Set<PictureChange> = []

  private let target: PixelLayout
  private var first: Form?
  private var last: Form?
  private var mayBeTransparent = false
  private var toAlpha: ToAlpha?

  private struct Form: Hashable {
    let width: Int
    let height: Int
    let shape: Rational
    let format: Int32
    let orientation: Orientation
  }

  /// Of pictures that become such with the layout `target`; the first one is transparent or not.
  init(target: PixelLayout, firstIsTransparent: Bool) {
    self.target = target
    toAlpha = target.hasAlpha || firstIsTransparent ? nil : ToAlpha(orientation: .upright)
  }

  /// Notes in what `frame` differs; quick for one that is like the one before and has no alpha.
  mutating func look(at frame: borrowing Frame) throws(MediaError) {
    let form = Form(
      width: frame.width,
      height: frame.height,
      shape: unsafe Rational(frame.native.pointee.sample_aspect_ratio),
      format: frame.format.rawValue,
      orientation: frame.displayMatrix.flatMap { Orientation(displayMatrix: $0) } ?? .upright,
    )
    if form != last { try compare(form, PixelLayout(of: frame)) }
    last = form
    if mayBeTransparent, try toAlpha?.seesThrough(frame) ?? false {
      found.insert(.transparency)
      toAlpha = nil
    }
  }

  private mutating func compare(_ form: Form, _ layout: PixelLayout) {
    mayBeTransparent = layout.hasAlpha
    guard let first else { return first = form }
    if (form.width, form.height) != (first.width, first.height) { found.insert(.size) }
    if form.shape != first.shape { found.insert(.pixelShape) }
    if form.orientation != first.orientation { found.insert(.orientation) }
    guard form.format != first.format else { return }
    if layout.family != .gray && target.family == .gray { found.insert(.colours) }
  }
}

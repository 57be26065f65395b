internal import FFmpegC

/// What a later picture has and the first one has not: the output is made after the first.
public enum PictureChange: Hashable, Sendable, CaseIterable {
  case size
  case pixelShape
  case colours
  case transparency
  case orientation
  case captions
  case dynamicLight

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
    case .captions:
      .warning("later pictures have closed captions, which the output's codec cannot carry")
    case .dynamicLight:
      .warning("later pictures have HDR10+ data, which the output's codec cannot carry")
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
  private var losses: Set<PictureChange>
  private var toAlpha: ToAlpha?

  private struct Form: Hashable {
    let width: Int
    let height: Int
    let shape: Rational
    let format: Int32
    let orientation: Orientation
  }

  /// Of pictures that become such with the layout `target`; the first one is transparent or not, and has none of what
  /// the output would lose.
  init(target: PixelLayout, firstIsTransparent: Bool, losses: Set<PictureChange>) {
    self.target = target
    self.losses = losses
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
    for loss in losses where frame.has(loss) {
      found.insert(loss)
      losses.remove(loss)
    }
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

extension SourcePicture {
  /// What the output of `profile` would lose and this first picture does not have.
  func laterLosses(_ profile: EncoderProfile) -> Set<PictureChange> {
    var losses: Set<PictureChange> = []
    let hasCaptions = data.contains { $0.kind == .captions }
    if !hasCaptions && !profile.carried.contains(.captions) { losses.insert(.captions) }
    if !hasDynamicLight && !profile.takesDynamicLight { losses.insert(.dynamicLight) }
    return losses
  }
}

extension Frame {
  fileprivate func has(_ loss: PictureChange) -> Bool {
    switch loss {
    case .captions: FrameData.Kind.captions.isIn(self)
    case .dynamicLight: hasDynamicLight
    default: false
    }
  }
}

internal import FFmpegC

/// What the numbers of a picture mean: which matrix made YUV of RGB, which range they use, and so on.
///
/// The numbers are those of ITU-T H.273, which FFmpeg and zimg share.
struct ColorSpec: Hashable, Sendable {
  var matrix: Matrix
  var primaries: UInt32
  var transfer: UInt32
  var range: Range
  var chroma: ChromaPosition

  /// The matrix between R'G'B' and Y'CbCr.
  struct Matrix: Hashable, Sendable {
    var code: UInt32
    static let rgb = Matrix(code: 0)
    static let bt709 = Matrix(code: 1)
    static let unspecified = Matrix(code: 2)
    static let bt470bg = Matrix(code: 5)
    static let smpte170m = Matrix(code: 6)
    static let bt2020 = Matrix(code: 9)
  }

  /// Which codes stand for black and white: 16…235 or 0…255, for 8 bits.
  enum Range: Hashable, Sendable {
    case unspecified, limited, full
  }

  /// Where chroma samples lie among the luma samples; the codes are FFmpeg's.
  struct ChromaPosition: Hashable, Sendable {
    var code: UInt32
    static let unspecified = ChromaPosition(code: 0)
    static let left = ChromaPosition(code: 1)
    static let center = ChromaPosition(code: 2)
  }

  static let unspecifiedCode: UInt32 = 2

  /// The colour of an ``Image``: R'G'B', full range.
  static let image = ColorSpec(
    matrix: .rgb,
    primaries: unspecifiedCode,
    transfer: unspecifiedCode,
    range: .full,
    chroma: .unspecified
  )
}

extension ColorSpec {
  /// What a decoded picture says about itself.
  init(_ frame: borrowing Frame) {
    let native = unsafe frame.native
    unsafe self.init(
      matrix: Matrix(code: native.pointee.colorspace.rawValue),
      primaries: native.pointee.color_primaries.rawValue,
      transfer: native.pointee.color_trc.rawValue,
      range: Range(native.pointee.color_range),
      chroma: ChromaPosition(code: native.pointee.chroma_location.rawValue),
    )
  }

  /// Writes this to a picture, so that encoders see it.
  func tag(_ frame: borrowing Frame) {
    let native = unsafe frame.native
    unsafe native.pointee.colorspace = AVColorSpace(matrix.code)
    unsafe native.pointee.color_primaries = AVColorPrimaries(primaries)
    unsafe native.pointee.color_trc = AVColorTransferCharacteristic(transfer)
    unsafe native.pointee.color_range = range.native
    unsafe native.pointee.chroma_location = AVChromaLocation(chroma.code)
  }

  /// This with everything filled in that a conversion has to know.
  ///
  /// What is unknown is guessed as players do: the matrix by the size of the picture, the range by
  /// the kind of pixels.
  func completed(for layout: PixelLayout, width: Int, height: Int) -> ColorSpec {
    var result = self
    if layout.family == .rgb {
      result.matrix = .rgb
    } else if !matrix.isConvertible {
      result.matrix = Matrix.guess(width: width, height: height)
    }
    if layout.isAlwaysFullRange || range == .unspecified { result.range = layout.usualRange }
    if layout.isSubsampled && chroma == .unspecified {
      result.chroma = layout.isAlwaysFullRange ? .center : .left
    }
    return result
  }
}

extension ColorSpec.Matrix {
  /// What players assume: BT.709 for HD, BT.601 below.
  static func guess(width: Int, height: Int) -> ColorSpec.Matrix {
    if width >= 1280 || height > 576 { return .bt709 }
    return height == 576 ? .bt470bg : .smpte170m
  }

  /// Whether a plain matrix is defined for this code: not for constant luminance, ICtCp, XYZ.
  var isConvertible: Bool {
    [1, 4, 5, 6, 7, 8, 9].contains(code)
  }

  /// The name that FFmpeg uses.
  var name: String {
    unsafe av_color_space_name(AVColorSpace(code)).map { unsafe String(cString: $0) } ?? "unknown"
  }
}

extension ColorSpec.Range {
  init(_ native: AVColorRange) {
    switch native {
    case AVCOL_RANGE_MPEG: self = .limited
    case AVCOL_RANGE_JPEG: self = .full
    default: self = .unspecified
    }
  }

  var native: AVColorRange {
    switch self {
    case .unspecified: AVCOL_RANGE_UNSPECIFIED
    case .limited: AVCOL_RANGE_MPEG
    case .full: AVCOL_RANGE_JPEG
    }
  }
}

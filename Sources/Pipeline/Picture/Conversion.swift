internal import FFmpegC

/// One side of a conversion: size, samples and meaning of a planar picture.
struct PlaneFormat: Hashable {
  var width: Int
  var height: Int
  var layout: PixelLayout
  var color: ColorSpec

  /// The size of the part that holds the picture, from the top left corner, in pixels.
  var activeWidth: Double
  var activeHeight: Double

  /// A picture that fills its planes.
  ///
  /// Planes of subsampled formats have whole chroma samples: odd sizes are rounded up, and the
  /// picture is the part without the added row or column.
  init(width: Int, height: Int, layout: PixelLayout, color: ColorSpec) {
    self.width = width.rounded(upToMultipleOf: 1 << layout.chromaShift.x)
    self.height = height.rounded(upToMultipleOf: 1 << layout.chromaShift.y)
    self.layout = layout
    self.color = color
    activeWidth = Double(width)
    activeHeight = Double(height)
  }

  /// The planes of an ``Image``.
  static func image(width: Int, height: Int) -> PlaneFormat {
    PlaneFormat(width: width, height: height, layout: .image, color: .image)
  }

  /// The size of the picture without the added row and column.
  var visibleSize: (width: Int, height: Int) { (Int(activeWidth), Int(activeHeight)) }

  /// Whether planes of this size need no added row or column.
  func isExactly(width: Int, height: Int) -> Bool {
    self.width == width && self.height == height
  }
}

extension Int {
  func rounded(upToMultipleOf step: Int) -> Int { (self + step - 1) / step * step }
}

/// Turns pictures of one format into another: matrix, range, depth, subsampling and size at once.
///
/// Wraps one zimg filter graph, which is built once and then used for every picture.
@safe
struct Conversion: ~Copyable, @unchecked Sendable {
  // Safe to send: nothing else holds these pointers.
  private let graph: OpaquePointer
  private let scratch: UnsafeMutableRawPointer

  /// What happens to the bits that do not fit into the destination.
  enum Rounding {
    case nearest, errorDiffusion
  }

  /// How samples are made between others; zimg's names.
  enum Filter {
    /// Spline36.
    case spline

    /// Lanczos with three lobes.
    case lanczos
  }

  /// - Throws: A ``MediaError`` of kind `refused` when zimg cannot convert between the two.
  init(
    from source: PlaneFormat,
    to destination: PlaneFormat,
    rounding: Rounding,
    filter: Filter = .spline,
  ) throws(MediaError) {
    var from = source.native
    var to = destination.native
    // The whole destination, its added row and column too, is filled from the source.
    from.active_region.width *= Double(destination.width) / destination.activeWidth
    from.active_region.height *= Double(destination.height) / destination.activeHeight
    to.active_region.width = .nan
    to.active_region.height = .nan
    var parameters = Conversion.parameters(rounding, filter)
    guard let graph = unsafe zimg_filter_graph_build(&from, &to, &parameters) else {
      let subject = "\(source.layout.name) to \(destination.layout.name)"
      throw MediaError(.refused, .convert, subject, Conversion.lastError)
    }
    var size = 0
    unsafe zimg_filter_graph_get_tmp_size(graph, &size)
    unsafe self.graph = graph
    // 64: zimg wants its scratch memory on the boundary of its widest registers.
    unsafe scratch = .allocate(byteCount: size, alignment: 64)
  }

  deinit {
    unsafe zimg_filter_graph_free(graph)
    unsafe scratch.deallocate()
  }

  /// Converts one picture; rows must start on 32-byte boundaries.
  func run(from source: ffmpegc_planes, to destination: ffmpegc_planes) throws(MediaError) {
    let code = unsafe withUnsafePointer(to: source) { source in
      unsafe withUnsafePointer(to: destination) {
        unsafe ffmpegc_zimg_run(graph, source, $0, scratch)
      }
    }
    guard code == ZIMG_ERROR_SUCCESS else {
      throw MediaError(.bug, .convert, "picture", Conversion.lastError)
    }
  }

  private static func parameters(
    _ rounding: Rounding,
    _ filter: Filter,
  ) -> zimg_graph_builder_params {
    var parameters = zimg_graph_builder_params()
    unsafe zimg_graph_builder_params_default(&parameters, FFMPEGC_ZIMG_API_VERSION)
    parameters.resample_filter =
      filter == .lanczos ? ZIMG_RESIZE_LANCZOS : ZIMG_RESIZE_SPLINE36
    parameters.resample_filter_uv = parameters.resample_filter
    parameters.dither_type =
      rounding == .nearest ? ZIMG_DITHER_NONE : ZIMG_DITHER_ERROR_DIFFUSION
    return parameters
  }

  private static var lastError: String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
      guard let start = text.baseAddress else { return "unknown error" }
      unsafe zimg_get_last_error(start, text.count)
      zimg_clear_last_error()
      return unsafe String(cString: start)
    }
  }
}

extension PlaneFormat {
  fileprivate var native: zimg_image_format {
    var format = zimg_image_format()
    unsafe zimg_image_format_default(&format, FFMPEGC_ZIMG_API_VERSION)
    format.width = UInt32(clamping: width)
    format.height = UInt32(clamping: height)
    format.pixel_type =
      layout.isFloat ? ZIMG_PIXEL_FLOAT : layout.depth > 8 ? ZIMG_PIXEL_WORD : ZIMG_PIXEL_BYTE
    format.depth = UInt32(clamping: layout.depth)
    format.subsample_w = UInt32(clamping: layout.chromaShift.x)
    format.subsample_h = UInt32(clamping: layout.chromaShift.y)
    format.color_family = layout.family.native
    format.matrix_coefficients = zimg_matrix_coefficients_e(Int32(clamping: color.matrix.code))
    format.pixel_range = color.range == .full ? ZIMG_RANGE_FULL : ZIMG_RANGE_LIMITED
    if layout.isSubsampled, color.chroma != .unspecified {
      // FFmpeg counts from one, because its zero is "unspecified".
      format.chroma_location = zimg_chroma_location_e(Int32(clamping: color.chroma.code) - 1)
    }
    format.active_region.left = 0
    format.active_region.top = 0
    format.active_region.width = activeWidth
    format.active_region.height = activeHeight
    return format
  }
}

extension PixelLayout.Family {
  fileprivate var native: zimg_color_family_e {
    switch self {
    case .gray: ZIMG_COLOR_GREY
    case .rgb: ZIMG_COLOR_RGB
    case .yuv: ZIMG_COLOR_YUV
    }
  }
}

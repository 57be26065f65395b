/// The image formats that can be written, one picture per file.
enum PictureFormat: String, CaseIterable {
  case png, jpg, jpeg, webp, bmp, tif, tiff

  /// The format that the extension of `path` asks for, or `nil`.
  init?(_ path: MediaPath) {
    self.init(rawValue: path.pathExtension)
  }

  /// The name of its encoder.
  var encoder: String {
    switch self {
    case .png: "png"
    case .jpg, .jpeg: "mjpeg"
    case .webp: "libwebp"
    case .bmp: "bmp"
    case .tif, .tiff: "tiff"
    }
  }
}

internal import FFmpegC

/// A file of one picture that is read as one packet, as its name asks for.
///
/// Truevision's TGA begins with no mark that libav could know it by. JPEG files of cameras hold more pictures, a
/// thumbnail before the photo or a map of its light behind it, and libav would cut before each. The content has
/// the last word: a file of such a name which cannot be such a picture is treated like any other.
struct SinglePicture {
  private let codec: AVCodecID
  private let size: Int

  // An identifier of the maker, colours, and then what is asked for here.
  private static let headerSize = 18

  /// Looks at the file of this name; `nil` when it is no such picture.
  init?(_ path: MediaPath, _ file: borrowing InputFile) {
    guard let codec = SinglePicture.codecs[path.pathExtension.lowercased()], let size = file.size,
      size <= Int(Int32.max), let header = file.beginning(SinglePicture.headerSize)
    else { return nil }
    let isPossible =
      codec == AV_CODEC_ID_TARGA
      ? SinglePicture.isTarga(header) : header.starts(with: [0xFF, 0xD8, 0xFF])
    guard isPossible else { return nil }
    self.codec = codec
    self.size = size
  }

  /// Lets `context` read the file: as one packet, which only one demuxer of libav can do.
  func describe(
    to context: UnsafeMutablePointer<AVFormatContext>,
    _ options: inout MediaDictionary,
  ) -> UnsafePointer<AVInputFormat>? {
    unsafe context.pointee.video_codec_id = codec
    unsafe context.pointee.flags |= AVFMT_FLAG_NOPARSE
    unsafe av_freep(&context.pointee.format_whitelist)
    options["frame_size"] = "\(size)"
    return unsafe av_find_input_format("image2pipe")
  }

  private static let codecs = [
    "tga": AV_CODEC_ID_TARGA, "jpg": AV_CODEC_ID_MJPEG, "jpeg": AV_CODEC_ID_MJPEG,
    "jpe": AV_CODEC_ID_MJPEG, "jfif": AV_CODEC_ID_MJPEG, "mpo": AV_CODEC_ID_MJPEG,
  ]

  // Fields by their bytes: 1 colour map or none, 2 kind of picture, 12…15 size, 16 bits of a pixel.
  private static func isTarga(_ header: [UInt8]) -> Bool {
    header[1] <= 1 && [1, 2, 3, 9, 10, 11].contains(header[2])
      && (header[12] | header[13]) > 0 && (header[14] | header[15]) > 0
      && [8, 15, 16, 24, 32].contains(header[16])
  }
}

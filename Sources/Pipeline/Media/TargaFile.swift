internal import FFmpegC

/// A picture in Truevision's TGA format.
///
/// It begins with no mark that libav could know it by, so its name has to say it. The content has
/// the last word: a file of that name which cannot be such a picture is treated like any other.
struct TargaFile {
  private let size: Int

  // An identifier of the maker, colours, and then what is asked for here.
  private static let headerSize = 18

  /// Looks at the file of this name; `nil` when it is no such picture.
  init?(_ path: MediaPath, _ file: borrowing InputFile) {
    guard path.pathExtension == "tga", let size = file.size, size <= Int(Int32.max),
      let header = file.beginning(TargaFile.headerSize), TargaFile.isPossible(header)
    else { return nil }
    self.size = size
  }

  /// Lets `context` read the file: as one packet, which only one demuxer of libav can do.
  func describe(
    to context: UnsafeMutablePointer<AVFormatContext>,
    _ options: inout MediaDictionary,
  ) -> UnsafePointer<AVInputFormat>? {
    unsafe context.pointee.video_codec_id = AV_CODEC_ID_TARGA
    unsafe av_freep(&context.pointee.format_whitelist)
    options["frame_size"] = "\(size)"
    return unsafe av_find_input_format("image2pipe")
  }

  // Fields by their bytes: 1 colour map or none, 2 kind of picture, 12…15 size, 16 bits of a pixel.
  private static func isPossible(_ header: [UInt8]) -> Bool {
    header[1] <= 1 && [1, 2, 3, 9, 10, 11].contains(header[2])
      && (header[12] | header[13]) > 0 && (header[14] | header[15]) > 0
      && [8, 15, 16, 24, 32].contains(header[16])
  }
}

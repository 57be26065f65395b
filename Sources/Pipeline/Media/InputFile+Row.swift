internal import FFmpegC
internal import Glibc

// Image files that are read one after another.
extension InputFile {
  /// Whether libav may ask for a position or a size.
  var canSeek: Bool { isSeekable || !sizes.isEmpty }

  /// How many bytes the file has that libav has come to.
  ///
  /// Where nothing in a picture says where it ends, as in TIFF, libav takes this for its size. Past the last file
  /// it is zero.
  func sizeOfCurrent() -> Int64 {
    var position = unsafe reader.map { unsafe avio_tell($0) } ?? 0
    for size in sizes {
      if position < size { return size }
      position -= size
    }
    return 0
  }

  /// The demuxer of a row where libav would take another: it takes small JPEG files for a film.
  var demuxerOfRow: UnsafePointer<AVInputFormat>? {
    let isJPEG = pathCount > 1 && readAll(3, of: descriptor, at: 0).bytes == [0xFF, 0xD8, 0xFF]
    return unsafe isJPEG ? av_find_input_format("jpeg_pipe") : nil
  }
}

extension MediaPath {
  /// How many bytes the file has; zero when there is none.
  var size: Int64 {
    var status = stat()
    return unsafe stat(bytes, &status) == 0 ? Int64(status.st_size) : 0
  }
}

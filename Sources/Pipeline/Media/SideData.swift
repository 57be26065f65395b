internal import FFmpegC

/// Further data about a whole stream, as its header stores it.
struct SideData: Hashable {
  let type: AVPacketSideDataType
  let bytes: [UInt8]
}

extension SideData {
  /// Which light a picture was mastered for: the screen, and the brightest pixel and picture.
  ///
  /// Many streams say so with their first picture only, not in the header of the file.
  static func light(of frame: borrowing Frame) -> [SideData] {
    let kinds = [
      (AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
      (AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_PKT_DATA_CONTENT_LIGHT_LEVEL),
    ]
    return kinds.compactMap { inFrame, inStream in
      SideData(of: frame, inFrame, as: inStream)
    }
  }

  /// How pictures lie around the viewer or before both eyes, by the header of a stream, or for the eyes by
  /// its first picture.
  static func view(_ header: [SideData], _ frame: borrowing Frame) -> [SideData] {
    let inHeader = header.filter(\.isAboutView)
    guard inHeader.isEmpty else { return inHeader }
    let inPicture = SideData(of: frame, AV_FRAME_DATA_STEREO3D, as: AV_PKT_DATA_STEREO3D)
    return inPicture.map { [$0] } ?? []
  }

  // What a picture carries has the same bytes in a header.
  private init?(
    of frame: borrowing Frame,
    _ kind: AVFrameSideDataType,
    as type: AVPacketSideDataType,
  ) {
    guard let data = unsafe av_frame_get_side_data(frame.native, kind) else { return nil }
    let bytes = unsafe UnsafeBufferPointer(start: data.pointee.data, count: data.pointee.size)
    unsafe self.init(type: type, bytes: Array(bytes))
  }

  /// All that the header of a stream says.
  static func all(of stream: UnsafeMutablePointer<AVStream>) -> [SideData] {
    unsafe (0..<Int(stream.pointee.nb_side_data)).map { index in
      let data = unsafe stream.pointee.side_data[index]
      return unsafe SideData(
        type: data.type,
        bytes: Array(UnsafeBufferPointer(start: data.data, count: data.size)),
      )
    }
  }

  /// Whether it stays true when the picture is upscaled and turned upright.
  var isAboutLight: Bool {
    type == AV_PKT_DATA_MASTERING_DISPLAY_METADATA || type == AV_PKT_DATA_CONTENT_LIGHT_LEVEL
  }

  /// Whether it says how pictures are shown around the viewer or to both eyes, in parts of their size.
  var isAboutView: Bool {
    // The last number of a sphere's is a border in pixels.
    type == AV_PKT_DATA_STEREO3D
      || type == AV_PKT_DATA_SPHERICAL && bytes.suffix(4).allSatisfy { $0 == 0 }
  }

  /// Whether it is for both eyes, but neither side by side nor one above the other.
  var isRareStereo: Bool {
    guard type == AV_PKT_DATA_STEREO3D else { return false }
    let usual = [AV_STEREO3D_2D, AV_STEREO3D_SIDEBYSIDE, AV_STEREO3D_TOPBOTTOM]
    return unsafe bytes.withUnsafeBytes { bytes in
      guard bytes.count >= MemoryLayout<AVStereo3D>.size else { return true }
      return unsafe !usual.contains(bytes.loadUnaligned(as: AVStereo3D.self).type)
    }
  }

  /// Adds this to the header of a stream that is written.
  func add(to stream: UnsafeMutablePointer<AVStream>) throws(MediaError) {
    let copy = unsafe try allocated(av_stream_new_side_data(stream, type, bytes.count), "side data")
    for (index, byte) in bytes.enumerated() { unsafe copy[index] = byte }
  }
}

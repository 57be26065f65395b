internal import FFmpegC

/// The texts in PNG pictures, which nobody asks for here and which may be hundreds of megabytes in
/// a small file.
enum PNGText {
  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  private static let names = ["tEXt", "zTXt", "iTXt"].map { Array($0.utf8) }

  // A chunk is its length, its name, its data and a checksum: twelve bytes besides the data.
  private static let frameSize = 12

  /// Takes the texts out of a packet that holds a PNG picture.
  static func drop(from packet: borrowing Packet) throws(MediaError) {
    let native = unsafe packet.native
    guard unsafe contains(UnsafeBufferPointer(start: native.pointee.data, count: packet.byteCount))
    else { return }
    try unsafe check(av_packet_make_writable(native), .decode, "picture", kind: .limit)
    let bytes = unsafe UnsafeMutableBufferPointer(
      start: native.pointee.data,
      count: packet.byteCount
    )
    unsafe av_shrink_packet(native, Int32(compact(bytes)))
  }

  /// The largest piece of memory that a picture which begins with `header` needs while it is
  /// decoded; `nil` when it is no PNG picture.
  static func largestAllocation(_ header: [UInt8]?) -> Int? {
    guard let header, header.starts(with: signature), header.count >= 24 else { return nil }
    let (width, height): (Int, Int) = (header[16..<20].bigEndian(), header[20..<24].bigEndian())
    let (pixels, isTooLarge) = width.multipliedReportingOverflow(by: height)
    // Eight bytes: four samples of 16 bits. 64 MiB: room for a profile of its colours and the rows.
    return isTooLarge || pixels > 1 << 40 ? nil : pixels * 8 + 64 << 20
  }

  private static func contains(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    unsafe chunks(bytes).contains { unsafe isText(bytes, $0) }
  }

  private static func compact(_ bytes: UnsafeMutableBufferPointer<UInt8>) -> Int {
    var end = unsafe start(UnsafeBufferPointer(bytes))
    for chunk in unsafe chunks(UnsafeBufferPointer(bytes)) {
      guard unsafe !isText(UnsafeBufferPointer(bytes), chunk) else { continue }
      for index in chunk {
        unsafe bytes[end] = unsafe bytes[index]
        end += 1
      }
    }
    return end
  }

  private static func isText(_ bytes: UnsafeBufferPointer<UInt8>, _ chunk: Range<Int>) -> Bool {
    unsafe chunk.count >= frameSize && names.contains(Array(bytes[chunk].dropFirst(4).prefix(4)))
  }

  private static func start(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    unsafe bytes.starts(with: signature) ? signature.count : 0
  }

  /// Where the chunks of a PNG lie, with their frames.
  ///
  /// What is left at the end and too short for a chunk counts as the last one.
  static func chunks(_ bytes: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var position = unsafe start(bytes)
    while position < bytes.count {
      let length: Int = unsafe bytes[position...].prefix(4).bigEndian()
      let end = min(position + length + frameSize, bytes.count)
      result.append(position..<end)
      position = end
    }
    return result
  }
}

internal import FFmpegC

/// How one picture is to be shown on screens that are darker than the one it was mastered on: HDR10+.
struct DynamicLight: Hashable, Sendable {
  /// An ITU-T T.35 message, as streams of every codec carry it.
  let message: [UInt8]

  /// What a decoded picture says, about places where `map` brings them; `nil` if it says nothing.
  init?(_ frame: borrowing Frame, _ map: PictureMap) {
    guard let data = unsafe frame.dynamicLight else { return nil }
    var light = unsafe data.pointee
    // The first window is the whole picture.
    light.params.1 = light.params.1.placed(map)
    light.params.2 = light.params.2.placed(map)
    message = unsafe [UInt8](unsafeUninitializedCapacity: Int(FFMPEGC_HDR10PLUS_CAPACITY)) {
      buffer,
      count in
      guard let start = buffer.baseAddress else { return }
      count = unsafe Int(ffmpegc_hdr10plus_message(&light, start))
    }
    guard !message.isEmpty else { return nil }
  }
}

extension Frame {
  /// Whether it has HDR10+ data.
  var hasDynamicLight: Bool { unsafe dynamicLight != nil }

  fileprivate var dynamicLight: UnsafePointer<AVDynamicHDRPlus>? {
    let data = unsafe av_frame_get_side_data(native, AV_FRAME_DATA_DYNAMIC_HDR_PLUS)
    return unsafe UnsafeRawPointer(data?.pointee.data)?
      .assumingMemoryBound(to: AVDynamicHDRPlus.self)
  }
}

extension Packet {
  /// Puts a message about the picture in front of it: an SEI message of HEVC, with start codes.
  ///
  /// ITU-T H.265: 7.3.1.1 for the bytes of a NAL unit, 7.3.5 and D.2.6 for the message.
  func insert(_ light: DynamicLight) throws(MediaError) {
    let message = light.message
    // The type of a message about a picture (39), and of one that others have registered (4).
    let length = Array(repeating: UInt8(255), count: message.count / 255)
    let payload: [UInt8] = [4] + length + [UInt8(message.count % 255)] + message + [0x80]
    let unit: [UInt8] = [0, 0, 0, 1, 39 << 1, 1] + Packet.escaped(payload)
    try insert(unit, at: firstPictureOffset)
  }

  // Two zeros and a small number would look like a start code.
  private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var zeros = 0
    for byte in bytes {
      if zeros == 2 && byte <= 3 {
        result.append(3)
        zeros = 0
      }
      result.append(byte)
      zeros = byte == 0 ? zeros + 1 : 0
    }
    return result
  }

  // Where the start code of the first part of the picture begins; parameters come before it.
  private var firstPictureOffset: Int {
    let bytes = unsafe UnsafeBufferPointer(start: native.pointee.data, count: byteCount)
    var index = 0
    while index + 3 < bytes.count {
      guard unsafe bytes[index] == 0, unsafe bytes[index + 1] == 0, unsafe bytes[index + 2] == 1
      else {
        index += 1
        continue
      }
      // Types below 32 are parts of pictures.
      if unsafe bytes[index + 3] >> 1 & 63 < 32 {
        return unsafe index > 0 && bytes[index - 1] == 0 ? index - 1 : index
      }
      index += 3
    }
    return bytes.count
  }

  private func insert(_ bytes: [UInt8], at offset: Int) throws(MediaError) {
    let rest = byteCount - offset
    let code = unsafe av_grow_packet(native, Int32(clamping: bytes.count))
    try check(code, .encode, "picture", kind: .limit)
    guard let start = unsafe native.pointee.data.map({ unsafe $0 + offset }) else { return }
    unsafe (start + bytes.count).update(from: start, count: rest)
    unsafe bytes.withUnsafeBufferPointer {
      guard let source = $0.baseAddress else { return }
      unsafe start.update(from: source, count: bytes.count)
    }
  }
}

internal import FFmpegC

/// AAC whose packets begin with headers of their own (ADTS), as broadcasts have it, on its way into a container
/// that has one header for all (ISO/IEC 14496-3, 1.6.2.1 and 1.A.2.2).
enum PlainAAC {
  private static let rates: [Int32] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
  ]

  /// The numbers in the output of the streams whose packets begin with headers that the output does not want.
  static func streams(of demuxer: borrowing Demuxer, _ settings: MuxerSettings) -> Set<Int> {
    guard settings.format.wantsGlobalHeader else { return [] }
    var numbers: Set<Int> = []
    for (input, output) in settings.streams.outputs.enumerated() {
      guard let output else { continue }
      let parameters = unsafe demuxer.stream(input).pointee.codecpar.pointee
      let isPlain =
        unsafe parameters.codec_id == AV_CODEC_ID_AAC && parameters.extradata_size == 0
      if isPlain, unsafe header(of: parameters) != nil { numbers.insert(output) }
    }
    return numbers
  }

  // The header for all packets; nil when it cannot be known.
  private static func header(of parameters: AVCodecParameters) -> UInt16? {
    // With spectral band replication the header tells the rate of the core, which is half of it.
    let isReplicated = unsafe parameters.frame_size == 2048
    let rate = unsafe parameters.sample_rate / (isReplicated ? 2 : 1)
    // With parametric stereo it tells the channels of the core, and libav takes such a core alone for it too.
    let isParametric = unsafe parameters.profile == FF_PROFILE_AAC_HE_V2
    let channels = unsafe isParametric ? 1 : parameters.ch_layout.nb_channels
    guard let index = rates.firstIndex(of: rate), (1...6).contains(channels) || channels == 8 else {
      return nil
    }
    let profile = unsafe parameters.profile
    // FFmpeg counts object types from zero; without a known one it is Low Complexity.
    let type = isReplicated || !(0...3).contains(profile) ? 2 : Int(profile) + 1
    return UInt16(type << 11 | index << 7 | (channels == 8 ? 7 : Int(channels)) << 3)
  }

  /// Gives `parameters` the header for all packets.
  static func describe(_ parameters: UnsafeMutablePointer<AVCodecParameters>) {
    let size = 2 + Int(AV_INPUT_BUFFER_PADDING_SIZE)
    guard let header = unsafe header(of: parameters.pointee), let memory = unsafe av_mallocz(size)
    else { return }
    let bytes = unsafe memory.bindMemory(to: UInt8.self, capacity: size)
    unsafe bytes[0] = UInt8(header >> 8)
    unsafe bytes[1] = UInt8(header & 0xff)
    unsafe parameters.pointee.extradata = bytes
    unsafe parameters.pointee.extradata_size = 2
  }

  /// Takes the header of its own from a packet that has one.
  static func dropHeader(of packet: borrowing Packet) {
    guard packet.byteCount > 9, let data = unsafe packet.native.pointee.data,
      unsafe data[0] == 0xff && data[1] & 0xf6 == 0xf0
    else { return }
    // Two bytes more where a checksum follows.
    let count: Int32 = unsafe data[1] & 1 == 1 ? 7 : 9
    unsafe packet.native.pointee.data += Int(count)
    unsafe packet.native.pointee.size -= count
  }
}

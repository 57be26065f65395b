internal import FFmpegC

/// Decodes pictures a second time with a decoder that notices more damage; its pictures are thrown
/// away.
///
/// Exists for VP9, whose format has no checksums. libav's decoder goes on with whatever it reads;
/// libvpx notices when a picture wants more data than there are, and refuses all that refer to it. A
/// class because an optional value that cannot be copied cannot be looked at where it is.
final class PictureCheck {
  private var decoder: Decoder
  private var isAble: Bool

  /// Pictures that could not be decoded.
  var errorCount: Int { isAble ? decoder.errorCount : 0 }

  /// Prepares for a stream; `nil` when no other decoder is better.
  init?(_ stream: UnsafeMutablePointer<AVStream>, _ input: InputOptions) {
    guard unsafe stream.pointee.codecpar.pointee.codec_id == AV_CODEC_ID_VP9,
      unsafe avcodec_find_decoder_by_name("libvpx-vp9") != nil,
      let decoder = unsafe try? Decoder(stream, input, name: "libvpx-vp9")
    else { return nil }
    self.decoder = decoder
    isAble = unsafe PictureCheck.isSurelyAble(stream.pointee.codecpar.pointee)
  }

  /// Decodes a packet.
  func check(_ packet: borrowing Packet) throws(MediaError) {
    decoder.send(packet)
    while try decoder.receive() != nil { isAble = true }
  }

  // libvpx may be built without deep pictures and large ones: then only its first picture tells.
  private static func isSurelyAble(_ parameters: AVCodecParameters) -> Bool {
    unsafe (0...1).contains(parameters.profile)
      && max(parameters.width, parameters.height) <= 16384
  }
}

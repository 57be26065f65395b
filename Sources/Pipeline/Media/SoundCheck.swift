internal import FFmpegC

/// Decodes sound that is only copied, to notice damage; the samples are thrown away.
///
/// A class because a collection holds several.
final class SoundCheck {
  private var decoder: Decoder

  /// Packets that could not be decoded.
  var errorCount: Int { decoder.errorCount }

  /// Prepares for a stream; `nil` when it is no sound or there is no decoder for it.
  init?(_ stream: UnsafeMutablePointer<AVStream>, _ input: InputOptions) {
    guard unsafe stream.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO,
      let decoder = unsafe try? Decoder(stream, input)
    else { return nil }
    self.decoder = decoder
  }

  /// Decodes a packet, and marks it if there is damage.
  func check(_ packet: borrowing Packet) throws(MediaError) {
    let count = errorCount
    decoder.send(packet)
    while try decoder.receive() != nil {}
    if errorCount > count { packet.markCorrupt() }
  }
}

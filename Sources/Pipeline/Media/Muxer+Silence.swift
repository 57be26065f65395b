internal import FFmpegC

// Sound that ends before the pictures, where the muxer drops pictures that have none beside them.
extension Muxer {
  /// Adds silence to all sound, which is PCM, that is shorter than the pictures.
  mutating func lengthenSound() throws(MediaError) {
    for index in unsafe 0..<Int(native.pointee.nb_streams) {
      let sound = unsafe stream(index).pointee.codecpar.pointee
      guard unsafe sound.codec_type == AVMEDIA_TYPE_AUDIO else { continue }
      let depth = unsafe Int(av_get_bits_per_sample(sound.codec_id))
      let (size, rate) = unsafe (depth / 8 * Int(sound.ch_layout.nb_channels), sound.sample_rate)
      if size > 0 { try lengthen(index, rate: Int(rate), sampleSize: size) }
    }
  }

  // In parts as long as a picture, as the muxer cuts sound; `sampleSize` is that of all channels.
  private mutating func lengthen(
    _ index: Int,
    rate: Int,
    sampleSize: Int,
  ) throws(MediaError) {
    let frame = unsafe Rational(stream(picture).pointee.time_base)
    guard frame.isPositive else { return }
    let (numerator, denominator) = (Int(frame.numerator) * rate, Int(frame.denominator))
    let end = ((tallies[picture]?.count ?? 0) * numerator + denominator - 1) / denominator
    let part = max(numerator / denominator, 1)
    for sample in stride(from: byteCounts[index, default: 0] / sampleSize, to: end, by: part) {
      let count = min(part, end - sample)
      let packet = try silence(index, at: sample, byteCount: count * sampleSize)
      try write(packet)
    }
  }

  // Sound that began late has reached a later time than its samples say.
  private func silence(
    _ index: Int,
    at sample: Int,
    byteCount: Int,
  ) throws(MediaError) -> Packet {
    let packet = try Packet()
    unsafe try check(av_new_packet(packet.native, Int32(byteCount)), .write, path.quoted)
    unsafe packet.native.pointee.data.update(repeating: 0, count: byteCount)
    packet.streamIndex = index
    packet.timeBase = unsafe Rational(stream(index).pointee.time_base)
    let time = max(Int64(sample), (lastDecodingTimes[index] ?? -1) &+ 1)
    unsafe packet.native.pointee.pts = time
    unsafe packet.native.pointee.dts = time
    return packet
  }
}

internal import FFmpegC

extension Muxer {
  /// Lets the tags that name the first picture's timecode name the one of the part's first picture, which lies
  /// `offset` later.
  func advanceTimecodes(by offset: Duration, _ frameRate: Rational) {
    guard offset > .zero else { return }
    unsafe advance(&native.pointee.metadata, offset, frameRate)
    for index in 0..<(unsafe Int(native.pointee.nb_streams)) {
      unsafe advance(&stream(index).pointee.metadata, offset, frameRate)
    }
  }

  // A timecode that cannot be counted on from is worse than none.
  private func advance(
    _ tags: inout OpaquePointer?,
    _ offset: Duration,
    _ frameRate: Rational,
  ) {
    guard let entry = unsafe av_dict_get(tags, "timecode", nil, 0) else { return }
    var timecode = AVTimecode()
    var text = [CChar](repeating: 0, count: Int(AV_TIMECODE_STR_SIZE))
    let frames = Int32(clamping: Int64((offset / .seconds(1) * frameRate.value).rounded()))
    let code = unsafe av_timecode_init_from_string(
      &timecode,
      frameRate.native,
      entry.pointee.value,
      nil
    )
    let later = unsafe code < 0 ? nil : av_timecode_make_string(&timecode, &text, frames)
    unsafe av_dict_set(&tags, "timecode", later, 0)
  }
}

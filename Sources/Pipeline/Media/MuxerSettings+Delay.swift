// Times before zero, as a recording has them that began just before its clock began anew.
extension MuxerSettings {
  /// How much later packets are written than they are given, so that no picture is lost before zero.
  ///
  /// A little sound before a first picture at zero is usual: an encoder's lead-in, which is no reason.
  func delay(of demuxer: borrowing Demuxer) -> Duration {
    guard format.losesPicturesBeforeZero, timeOffset == .zero,
      demuxer.start(of: streams.picture) < .zero
    else { return .zero }
    var first = Duration.zero
    for index in streams.kept { first = min(first, demuxer.start(of: index)) }
    return .zero - first
  }
}

internal import FFmpegC

/// Reads a finished file again and compares its streams with what was written into them.
struct Verification {
  /// What a stream must hold.
  struct Expectation {
    let tally: StreamTally

    /// Whether the container gives back the times exactly as they were written.
    let hasExactTimes: Bool

    /// What is wrong with a stream of `tally`, or `nil`.
    func difference(to tally: StreamTally) -> String? {
      guard tally.count == self.tally.count else {
        return "\(tally.count) packets instead of \(self.tally.count)"
      }
      // Packets without a time get one when they are read, or lose one that was made up.
      guard hasExactTimes, let found = tally.times, let times = self.tally.times else { return nil }
      return found == times ? nil : "other times than it was given"
    }
  }

  /// Streams that containers may cut into other packets are left out.
  let streams: [StreamPlace: Expectation]

  /// Whether the container keeps covers among its tags.
  let coversLieApart: Bool

  /// Compares the file at `path`, which messages call `name`.
  ///
  /// - Returns: The tags of the file.
  /// - Throws: A ``MediaError`` of kind `bug` that names the first difference.
  func run(
    _ path: MediaPath,
    name: MediaPath,
    _ cancellation: Cancellation,
  ) throws(MediaError) -> FileTags {
    let (found, tags) = try contents(path, name, cancellation)
    for (place, expectation) in streams.sorted(by: { $0.key < $1.key }) {
      if let difference = expectation.difference(to: found[place] ?? StreamTally()) {
        throw Verification.failure(name, "\(place) has \(difference)")
      }
    }
    return tags
  }

  private func contents(
    _ path: MediaPath,
    _ name: MediaPath,
    _ cancellation: Cancellation,
  ) throws(MediaError) -> (tallies: [StreamPlace: StreamTally], tags: FileTags) {
    do throws(MediaError) {
      var demuxer = try Demuxer(InputOptions(path), cancellation: cancellation)
      var tallies: [Int: StreamTally] = [:]
      while let packet = try demuxer.read() {
        tallies[packet.streamIndex, default: StreamTally()].add(packet.presentationTicks)
      }
      var found: [StreamPlace: StreamTally] = [:]
      for (index, tally) in tallies {
        let native = unsafe demuxer.native
        found[unsafe StreamPlace(index, in: native, coversLieApart: coversLieApart)] = tally
      }
      return (found, unsafe FileTags(demuxer.native))
    } catch {
      if let cancelled = cancellation.error { throw cancelled }
      throw Verification.failure(name, "it cannot be read again: \(error.reason)")
    }
  }

  private static func failure(_ name: MediaPath, _ difference: String) -> MediaError {
    MediaError(.bug, .write, name.quoted, "the finished file was checked, and \(difference)")
  }
}

extension OutputFormat {
  /// Whether a file of this format gives back the packets that were written into it.
  var isVerifiable: Bool {
    isMovieFamily
      || ["matroska", "webm", "avi", "flv", "gif", "mpegts", "mxf", "nut"].contains(name)
  }

  /// What can be expected of a stream of `parameters` that was written with `tally`.
  func expectation(
    _ tally: StreamTally,
    of parameters: UnsafePointer<AVCodecParameters>,
  ) -> Verification.Expectation? {
    switch unsafe parameters.pointee.codec_type {
    case AVMEDIA_TYPE_VIDEO:
      return Verification.Expectation(tally: tally, hasExactTimes: !hasConstantFrameRate)
    // Movie files join small frames of it until they are whole.
    case AVMEDIA_TYPE_AUDIO
    where unsafe isMovieFamily && parameters.pointee.codec_id == AV_CODEC_ID_EAC3:
      return nil
    // Samples without frames, such as PCM, are cut into packets by whoever reads them.
    case AVMEDIA_TYPE_AUDIO where unsafe av_get_bits_per_sample(parameters.pointee.codec_id) == 0:
      return Verification.Expectation(tally: tally, hasExactTimes: false)
    case AVMEDIA_TYPE_ATTACHMENT:
      return Verification.Expectation(tally: tally, hasExactTimes: false)
    default: return nil
    }
  }
}

extension SourcePicture {
  /// What a person should know about data on light that the output cannot carry.
  func lightNotices(_ profile: EncoderProfile, _ format: OutputFormat?) -> [Notice] {
    let container = format?.name ?? "an image file"
    var notices: [Notice] = []
    if !light.isEmpty && profile.light == nil && !(format?.holdsLight ?? false) {
      notices.append(
        .warning(
          "mastering display and content light level are lost: \(container) with \(profile.name) "
            + "cannot carry them, --codec hevc can"
        )
      )
    }
    if hasDynamicLight && !profile.takesDynamicLight {
      notices.append(
        .warning("HDR10+ data is lost: \(profile.name) cannot carry it, --codec hevc can")
      )
    }
    let lost = data.map(\.kind).filter { !profile.carried.contains($0) }
    if lost.contains(.captions) {
      notices.append(
        .warning("closed captions are lost: \(profile.name) cannot carry them, --codec h264 can")
      )
    }
    if lost.contains(.profile) {
      notices.append(
        .warning("the profile of the colours is lost: \(profile.name) cannot carry it, PNG can")
      )
    }
    if let dolbyVision {
      let rest =
        dolbyVision.isNeeded
        ? "without it the colours are wrong" : "the picture stays as it is without it"
      notices.append(
        .warning("Dolby Vision data is lost: it does not fit the larger picture; \(rest)")
      )
    }
    return notices
  }
}

extension OutputFormat {
  /// Whether its header says which light the pictures were mastered for.
  fileprivate var holdsLight: Bool { isMovieFamily || ["matroska", "webm"].contains(name) }
}

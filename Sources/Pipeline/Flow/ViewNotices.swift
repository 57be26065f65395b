extension SourcePicture {
  /// What a person should know about how pictures lie, if the output cannot say it.
  func viewNotices(_ format: OutputFormat?) -> [Notice] {
    guard let format, view.contains(where: { !format.tells(view: $0) }) else { return [] }
    let reason = "\(format.name) has no name for it, matroska has"
    return [.warning("how pictures lie for both eyes is lost: \(reason)")]
  }
}

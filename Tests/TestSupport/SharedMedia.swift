public import Foundation

/// The real clips that lie beside the repository, when they are there.
public enum SharedMedia {
  /// The folder of the clips; `nil` where it is missing.
  public static let folder: URL? = {
    let repository = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let folder = repository.deletingLastPathComponent().appendingPathComponent("shared/media")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// Whether tests on the clips run: always where a missing folder would hide a failure.
  public static let isExpected: Bool = {
    if folder != nil || ProcessInfo.processInfo.environment["CI"] != nil { return true }
    FileHandle.standardError.write(
      Data("skipping tests on real clips: no folder ../shared/media\n".utf8)
    )
    return false
  }()

  /// The path of the clip called `name`.
  public static func path(_ name: String) throws -> String {
    guard let folder else { throw Missing() }
    return folder.appendingPathComponent(name).path
  }

  /// Says that the clips are needed but not there.
  public struct Missing: Error {
    /// A sentence for the log.
    public let description = "the folder ../shared/media is missing"
  }
}

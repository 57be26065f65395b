public import Foundation

/// Tensors made by other programs that lie beside the repository, when they are there.
public enum SharedFixtures {
  /// The folder; `nil` where it is missing.
  public static let folder: URL? = {
    let repository = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let folder = repository.deletingLastPathComponent().appendingPathComponent("shared/fixtures")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// Whether tests on the tensors run: always where a missing folder would hide a failure.
  public static let isExpected: Bool = {
    if folder != nil || ProcessInfo.processInfo.environment["CI"] != nil { return true }
    FileHandle.standardError.write(
      Data("skipping tests on tensors of others: no folder ../shared/fixtures\n".utf8)
    )
    return false
  }()

  /// The path of a file in the folder.
  public static func path(_ name: String) throws -> String {
    guard let folder else { throw SharedMedia.Missing() }
    return folder.appendingPathComponent(name).path
  }
}

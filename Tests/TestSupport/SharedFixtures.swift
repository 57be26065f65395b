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

  /// The path of weights: `NAME.pth`, or `NAME.safetensors` in the folder that `VSR_FIXTURES` names.
  public static func weights(_ name: String) throws -> String {
    guard let folder = ProcessInfo.processInfo.environment["VSR_FIXTURES"] else {
      return try path("\(name).pth")
    }
    return "\(folder)/\(name).safetensors"
  }
}

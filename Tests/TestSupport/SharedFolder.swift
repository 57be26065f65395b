internal import Foundation

/// A folder of large files that lies beside the repository, when it is there.
public struct SharedFolder: Sendable {
  /// Real clips.
  public static let media = SharedFolder("media", of: "real clips")

  /// Tensors made by other programs.
  public static let fixtures = SharedFolder("fixtures", of: "tensors of others")

  /// Whether tests on its files run: always where a missing folder would hide a failure.
  public let isExpected: Bool

  private let url: URL?
  private let name: String

  private init(_ name: String, of content: String) {
    let repository = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let url = repository.deletingLastPathComponent().appendingPathComponent("shared/\(name)")
    let isThere = FileManager.default.fileExists(atPath: url.path)
    self.name = name
    self.url = isThere ? url : nil
    isExpected = isThere || ProcessInfo.processInfo.environment["CI"] != nil
    guard !isExpected else { return }
    let line = "skipping tests on \(content): no folder ../shared/\(name)\n"
    FileHandle.standardError.write(Data(line.utf8))
  }

  /// The path of the file called `name`.
  public func path(_ name: String) throws -> String {
    guard let url else {
      throw Missing(description: "the folder ../shared/\(self.name) is missing")
    }
    return url.appendingPathComponent(name).path
  }

  private struct Missing: Error, CustomStringConvertible {
    let description: String
  }
}

import Foundation
import TestSupport
import Testing

@testable import Engine

/// A file of weights that must be refused, and words of the reason that is given.
struct BadFile: CustomTestStringConvertible {
  let fault: String
  let reason: String
  let bytes: [UInt8]

  init(_ fault: String, _ reason: String, _ bytes: [UInt8]) {
    self.fault = fault
    self.reason = reason
    self.bytes = bytes
  }

  var testDescription: String { fault }

  /// Expects that the file, under this name, is refused with the reason.
  func expectRefusal(named name: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path(name)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    expectModelError(reason, subject: "'\(path)'") { try WeightStore(path: path) }
  }
}

/// Expects ``EngineError/model(subject:reason:)`` with a reason that contains some words.
func expectModelError(
  _ reason: String,
  _ comment: Comment? = nil,
  subject: String? = nil,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> some Any,
) {
  let error = #expect(throws: EngineError.self, comment, sourceLocation: sourceLocation) {
    _ = try body()
  }
  guard let error else { return }
  guard case .model(let actualSubject, let actualReason) = error else {
    Issue.record("\(error) is no model error", sourceLocation: sourceLocation)
    return
  }
  #expect(!actualReason.isEmpty, comment, sourceLocation: sourceLocation)
  #expect(
    reason.isEmpty || actualReason.contains(reason),
    comment,
    sourceLocation: sourceLocation
  )
  if let subject { #expect(actualSubject == subject, comment, sourceLocation: sourceLocation) }
}

/// Whether and where a run keeps what it has finished, so that it can be continued.
public struct WorkOptions: Hashable, Sendable {
  /// Something that decides on the output, and that must be the same when a run is continued.
  public struct Fact: Hashable, Codable, Sendable {
    /// What it is, for a person.
    public let name: String

    /// What it amounts to, in a form that can be compared.
    public let value: String

    /// Creates a fact.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Whether the run keeps its work and continues what it finds; otherwise it only tells of it.
  public var isKept = false

  /// The folder that the work folder lies in; `nil` for the output's.
  public var place: MediaPath?

  /// The frames of the shortest and of the longest segment; the last one may be shorter.
  public var segmentLengths = 25...250

  /// A run that keeps nothing.
  public init() {}

  // A minute of two processor cores: what a crash may cost.
  private static let multiplicationsPerSegment = 1e13

  /// The frames of a segment, for pictures that take this many multiplications.
  ///
  /// Depends on nothing but the job, so that a run that is continued is cut where it was cut before.
  func segmentLength(multiplications: Double) -> Int {
    let length = Int(min(WorkOptions.multiplicationsPerSegment / max(multiplications, 1), 1e6))
    return min(max(length, segmentLengths.lowerBound), segmentLengths.upperBound)
  }

  /// Whether an earlier run left work for this output.
  public func isThere(for output: MediaPath) -> Bool {
    WorkState(reading: folder(for: output)) != nil
  }
}

extension WorkOptions {
  /// The work folder of `output`: hidden beside it, or named by a digest of its path in another place.
  func folder(for output: MediaPath) -> MediaPath {
    guard let place else { return output.sibling(before: ".", after: ".vsr-work") }
    return place.appending(WorkOptions.digest(of: output) + ".vsr-work")
  }

  /// Where the output lies until it is complete.
  ///
  /// Always the same name, so that what a killed run leaves is found: in the folder where it lies beside the
  /// output, else beside the output, because only names on one disk can be exchanged.
  func temporary(for output: MediaPath) -> MediaPath {
    guard place != nil else { return folder(for: output).appending("output.part") }
    return output.sibling(named: ".vsr-\(WorkOptions.digest(of: output)).part")
  }

  private static func digest(of output: MediaPath) -> String {
    Fingerprint.digest(output.absolute.bytes.dropLast().map(UInt8.init(bitPattern:)))
  }
}

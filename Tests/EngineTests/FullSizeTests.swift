import Foundation
import TestSupport
import Testing

@testable import Engine

/// The papers' networks at their full size, from the names and shapes of their tensors.
@Suite(.enabled(if: SharedFolder.fixtures.isExpected), .serialized) struct FullSizeTests {
  @Test func ctmsrHasTheAuthorsSize() throws {
    let file = try Described(["ctmsr"])
    let graph = try CTMSR(WeightStore(path: file.path)).graph(height: 64, width: 64)

    #expect(file.parameterCount == 171_518_529)
    #expect(graph.halo == nil)
    // 37.41 M, of which 0.16 M are attention's products, and enlarging convolutions save 4.80 M.
    expect(graph.multiplyAddCount, isAbout: 32.45e6 * 4096)
  }

  @Test func tadsrHasTheAuthorsSize() throws {
    let file = try Described(["unet", "vq"])
    let store = try WeightStore(path: file.path)
    let graph = try TADSR(unet: store, autoencoder: store).graph(height: 64, width: 64)

    #expect(file.parameterCount == 118_593_583 + 55_322_782)
    expect(graph.multiplyAddCount, isAbout: (12.33e6 + 37.95e6 + 77.66e6 - 11.25e6) * 4096)
  }

  private func expect(_ count: Int, isAbout expected: Double) {
    #expect(abs(Double(count) / expected - 1) < 0.01, "\(count) instead of \(expected)")
  }
}

/// A safetensors file of zeros, sparse on disk, with the tensors of a list of names and shapes.
private struct Described {
  let path: String
  let parameterCount: Int
  private let folder: TemporaryFolder

  init(_ lists: [String]) throws {
    let lines = try lists.flatMap { name in
      try String(
        contentsOfFile: SharedFolder.fixtures.path("keys/\(name)_keys.txt"),
        encoding: .utf8
      )
      .split(separator: "\n").prefix { !$0.hasPrefix("#") }  // buffers follow
    }
    var entries: [String] = []
    var count = 0
    for line in lines {
      let words = line.split(separator: " ", maxSplits: 1)
      let sides = words[1].split { !$0.isNumber }.compactMap { Int($0) }
      let end = count + sides.reduce(1, *)
      entries.append(
        "\"\(words[0])\":{\"dtype\":\"BF16\",\"shape\":\(sides),\"data_offsets\":[\(2 * count),\(2 * end)]}"
      )
      count = end
    }
    parameterCount = count
    folder = try TemporaryFolder()
    path = folder.path("weights.safetensors")
    let header = Data("{\(entries.joined(separator: ","))}".utf8)
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
    try (length + header).write(to: URL(fileURLWithPath: path))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: UInt64(8 + header.count + 2 * count))
    try file.close()
  }
}

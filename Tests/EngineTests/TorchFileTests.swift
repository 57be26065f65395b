import Foundation
import TestSupport
import Testing

@testable import Engine

/// Files of `torch.save` against the values that PyTorch reads from them.
@Suite struct TorchFileTests {
  private static let fixtures = repositoryRoot + "Tests/EngineTests/Fixtures/"

  @Test(arguments: ["types", "views", "nested", "protocol-4", "state-dict"])
  func readsTheValuesThatPyTorchReads(name: String) throws {
    let expected = try WeightStore(path: Self.fixtures + "torch-\(name).safetensors")
    let actual = try WeightStore(path: Self.fixtures + "torch-\(name).pth")

    #expect(!expected.names.isEmpty)
    for name in expected.names {
      #expect(try actual.weights(name).dimensions == expected.weights(name).dimensions)
      let bits = try expected.weights(name).values.map(\.bitPattern)
      #expect(try actual.weights(name).values.map(\.bitPattern) == bits, "\(name)")
    }
  }

  @Test func keepsIntegersButNotAsWeights() throws {
    let store = try WeightStore(path: Self.fixtures + "torch-types.pth")

    for name in ["relative_position_index", "int", "short", "char", "byte", "flags"] {
      #expect(store.contains(name))
      expectModelError("not floats") { try store.weights(name) }
    }
  }

  @Test func averagedWeightsComeFirstAndPrefixesVanish() throws {
    let store = try WeightStore(path: Self.fixtures + "torch-nested.pth")

    #expect(store.names.contains("0.weight"))
    #expect(!store.names.contains { $0.hasPrefix("module") || $0 == "step" })
    #expect(store.metadata.isEmpty)
  }

  @Test func refusesTheFormatBeforeZipAndSaysTheWayOut() {
    expectModelError("torch.save(torch.load(FILE, weights_only=True), FILE)") {
      try WeightStore(path: Self.fixtures + "torch-legacy.pth")
    }
  }

  @Test func contentsTellTheFormatNotTheName() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("torch.safetensors")
    try FileManager.default.copyItem(atPath: Self.fixtures + "torch-views.pth", toPath: path)
    #expect(try WeightStore(path: path).contains("transposed"))
    let renamed = folder.path("other.pth")
    try Data(
      safetensors(#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, bytes(of: [7]))
    )
    .write(to: URL(fileURLWithPath: renamed))
    #expect(try WeightStore(path: renamed).weights("w").values == [7])
  }

  @Test func readsAnArchiveThatAnotherToolPacked() throws {
    var zip = ZipBuilder([
      ("m/data.pkl", Pickle.file(Pickle.dictionary(("w", Pickle.tensor())))),
      ("m/data/0", bytes(of: [1, 2, 3, 4])),
    ])
    zip.hasZip64 = false
    for index in zip.members.indices { zip.members[index].flags = 0 }
    #expect(try load(zip.bytes).weights("w").values == [1, 2, 3, 4])
  }

  @Test func readsAnEmptyTensorOfAnEmptyStorage() throws {
    let storage = Pickle.storage(key: Pickle.text("1"), count: 0)
    let tensor = Pickle.tensor(storage: storage, size: [0, 3], stride: [3, 1])
    let file = torchFile(Pickle.file(Pickle.dictionary(("w", tensor))), members: [("m/data/1", [])])
    #expect(try load(file).weights("w").dimensions == [0, 3])
  }

  /// Sizes and strides as they come of `expand`, `transpose` and slices; what lies between is not looked at.
  @Test func readsWhatAViewReaches() throws {
    let views: [(size: [Int], stride: [Int], values: [Float])] = [
      ([3, 2], [0, 2], [1, 3, 1, 3, 1, 3]), ([2, 1, 1], [2, .max, 0], [1, 3]),
    ]
    for view in views {
      let tensor = Pickle.tensor(size: view.size, stride: view.stride)
      let file = ZipBuilder([
        ("m/data.pkl", Pickle.file(Pickle.dictionary(("w", tensor)))),
        ("m/data/0", bytes(of: [1, .nan, 3, 4])),
      ])
      #expect(try load(file.bytes).weights("w").values == view.values)
    }
  }

  @Test func checksumIsThatOfZip() {
    var checksum = Checksum()
    checksum.update(Array("1234".utf8))
    checksum.update(Array("56789".utf8))
    #expect(checksum.value == 0xCBF4_3926)  // the check value of CRC-32 in every catalogue
    checksum.update(Array(repeating: 0, count: 1 << 16))
    #expect(checksum.value == 0x7C4C_CD49)
  }
}

import Foundation
import TestSupport
import Testing

@testable import Engine

@Suite struct CompactNetworkTests {
  // The input, noise and output of the same network in PyTorch; made with the weights.
  @Test(arguments: BundledModel.all.map(\.name), [0, 1])
  func bundledModelEqualsPyTorch(name: String, backend: Int) throws {
    try equalsPyTorch(Model(named: name), fixture: name, backend)
  }

  @Test(arguments: ["fast-tad"], [0, 1])
  func modelBesideTheProgramEqualsPyTorch(name: String, backend: Int) throws {
    let path = repositoryRoot + "Models/\(name)/weights.safetensors"
    try equalsPyTorch(Model(named: path), fixture: name, backend)
  }

  private func equalsPyTorch(_ model: Model, fixture: String, _ backend: Int) throws {
    let fixture = "Tests/EngineTests/Fixtures/\(fixture)-io.safetensors"
    let store = try WeightStore(path: repositoryRoot + fixture)
    let picture = try store.pictureTensor("lr")
    let graph = model.network.graph(height: picture.shape.height, width: picture.shape.width)
    let program = try Program(backends[backend].compile(graph))
    let expected = try store.pictureTensor("output")

    let output = try program.run(picture, store.pictureTensor("noise"))

    let actual = UnsafeBufferPointer(start: output, count: expected.shape.count)
    #expect(maximumDifference(actual, expected.samples) <= Tolerance.network)
  }

  /// What is not in the file any more is not in memory either.
  @Test func weightsAreReadWhenKernelsAreMade() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let weights = repositoryRoot + "Models/fast/weights.safetensors"
    try FileManager.default.copyItem(atPath: weights, toPath: path)
    let graph = try CompactNetwork(WeightStore(path: path)).graph(height: 8, width: 8)
    _ = try OneDNNBackend().compile(graph)

    #expect(truncate(path, 0) == 0)
    expectModelError("cannot be read to its end") { try OneDNNBackend().compile(graph) }
  }

  @Test func refusesNoEmbeddingOfEndlessWaves() throws {
    let header =
      #"{"__metadata__":{"scale":"4","body":"1","features":"1","sigma":"1","sigma_data":"1","#
      + #""residual_every":"1"},"#
      + #""emb.0.weight":{"dtype":"F32","shape":[0,1099511627776],"data_offsets":[0,0]}}"#
    expectModelError("no linear layer '0' over cosines") {
      try CompactNetwork(load(safetensors(header)))
    }
  }

  @Test func haloCoversTheReceptiveField() throws {
    // 14 convolutions of 3 × 3, two pixels for bicubic, and one for the block that pixel unshuffle reads.
    #expect(try Model(named: "fast").cost.halo == 17)
  }
}

/// The folder of the package, with a slash.
let repositoryRoot = String(#filePath.dropLast("Tests/EngineTests/CompactNetworkTests.swift".count))

extension WeightStore {
  /// A PyTorch picture (1, channels, height, width) as a tensor.
  func pictureTensor(_ name: String) throws -> Tensor {
    let weights = try weights(name)
    let sides = weights.dimensions
    let shape = Shape(height: sides[2], width: sides[3], channels: sides[1])
    let samples = (0..<shape.pixelCount).flatMap { p in
      (0..<shape.channels).map { weights.values[$0 * shape.pixelCount + p] }
    }
    return Tensor(shape: shape, samples: samples)
  }
}

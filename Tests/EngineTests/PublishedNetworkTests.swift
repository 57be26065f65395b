import Foundation
import TestSupport
import Testing

@testable import Engine

/// Networks of other authors, in tiny versions with random weights, against what PyTorch computes.
///
/// `Fixtures/make-networks.py` made the files.
@Suite struct PublishedNetworkTests {
  private static let fixtures = repositoryRoot + "Tests/EngineTests/Fixtures/"

  struct Case: CustomTestStringConvertible {
    let file: String
    let network: String
    let scale: Int
    var alignment = 1

    var testDescription: String { file }
  }

  static let cases = [
    Case(file: "srvgg-x4", network: "srvgg", scale: 4),
    Case(file: "srvgg-x2", network: "srvgg", scale: 2),
    Case(file: "rrdb-x4", network: "rrdb", scale: 4),
    Case(file: "rrdb-x2", network: "rrdb", scale: 2, alignment: 2),
    Case(file: "rrdb-x1", network: "rrdb", scale: 1, alignment: 4),
    Case(file: "esrgan-x4", network: "rrdb", scale: 4),
    Case(file: "span-x4", network: "span", scale: 4),
  ]

  @Test(arguments: cases)
  func isRecognisedByItsTensors(_ network: Case) throws {
    let model = try Model(named: Self.fixtures + network.file + ".pth")

    #expect(model.networkName == network.network)
    #expect(model.scale == network.scale)
    guard case .halo(network.alignment, _) = model.network.tileRule else {
      Issue.record("tiles begin elsewhere: \(model.network.tileRule)")
      return
    }
  }

  @Test(arguments: cases, [0, 1])
  func equalsPyTorch(_ network: Case, backend: Int) throws {
    let store = try WeightStore(path: Self.fixtures + network.file + "-io.safetensors")
    let picture = try store.pictureTensor("input")
    let expected = try store.pictureTensor("output")
    let model = try Model(named: Self.fixtures + network.file + ".pth")
    let graph = model.network.graph(height: picture.shape.height, width: picture.shape.width)
    let program = try Program(backends[backend].compile(graph))
    // The files are in 0…1, graphs in −1…1.
    let input = Tensor(shape: picture.shape, samples: picture.samples.map { 2 * $0 - 1 })

    let output = try program.run(input)

    let actual = UnsafeBufferPointer(start: output, count: expected.shape.count)
    let difference = maximumDifference(actual.map { ($0 + 1) / 2 }, expected.samples)
    let range = try #require(expected.samples.max()) - #require(expected.samples.min())
    #expect(difference <= Tolerance.publishedNetwork * range)
  }

  // Sizes that are no multiples of the blocks, and tiles that begin in the middle of one.
  @Test(arguments: ["rrdb-x2", "rrdb-x1", "srvgg-x4"])
  func tilesAreInvisible(file: String) throws {
    let model = try Model(named: Self.fixtures + file + ".pth")
    let image = Image(pattern: 0, width: 75, height: 51)
    var options = Upscaler.Options()
    options.tiling = .wholePicture
    let whole = try Upscaler(model: model, options: options).upscale(image).wait()
    options.tiling = .side(19)
    let tiled = try Upscaler(model: model, options: options).upscale(image).wait()

    #expect(whole.width == 75 * model.scale && whole.height == 51 * model.scale)
    for plane in 0..<3 {
      for row in 0..<whole.height {
        let rows = [whole, tiled].map {
          UnsafeMutableBufferPointer(start: $0.plane(plane) + row * $0.stride, count: $0.width)
        }
        #expect(maximumDifference(rows[0], rows[1]) <= Tolerance.tiling)
      }
    }
  }

  // ×4 with 4 features: two to four values of 4 channels, 64 bytes, at sixteen times the pixels.
  @Test func limitsTheHalo() throws {
    let model = try Model(named: Self.fixtures + "rrdb-x4.pth")
    #expect(try #require(model.halo) <= 48 && #require(model.cost.halo) > 30)
  }

  @Test func saysWhichTensorDoesNotFit() throws {
    let header =
      #"{"body.0.weight":{"dtype":"F32","shape":[1,3,1,1],"data_offsets":[0,12]},"#
      + #""body.0.bias":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},"#
      + #""body.1.weight":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},"#
      + #""body.2.weight":{"dtype":"F32","shape":[5,1,1,1],"data_offsets":[20,40]}}"#
    let store = try load(safetensors(header, bytes(of: (0..<10).map(Float.init))))

    expectModelError("5 channels, which is no scale") { try SRVGGNetwork(store) }
    expectModelError("no layers 'body.0' and 'body.2'") {
      try SRVGGNetwork(load(safetensors("{}")))
    }
    expectModelError("'conv_first.weight' is missing") { try RRDBNetwork(store) }
    expectModelError("'conv_1.eval_conv.weight' is missing") { try SPANNetwork(store) }
    expectModelError("no network known here; known are: compact, ") {
      try KnownNetwork.entry(for: load(safetensors("{}")))
    }
  }
}

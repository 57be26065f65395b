import TestSupport
import Testing

@testable import Engine

/// The papers' networks with small random weights against the authors' own code.
@Suite(.enabled(if: SharedFixtures.isExpected && Fixture.canReadWeights))
struct PaperNetworkTests {
  private static let activations = [
    ("act.64x64_conv", "enc.64x64_conv"), ("act.64x64_block0", "enc.64x64_block0"),
    ("act.32x32_down", "enc.32x32_down"), ("act.dec.8x8_in0", "dec.8x8_in0"),
    ("act.dec.16x16_up", "dec.16x16_up"),
  ]

  @Test(arguments: ["io", "io-64x128"], [0, 1])
  func ctmsrEqualsTheAuthorsCode(file: String, backend: Int) throws {
    let fixture = try Fixture("ctmsr-tiny/\(file).safetensors")
    let network = try CTMSR(WeightStore(path: SharedFixtures.weights("ctmsr-tiny/ctmsr")))
    try fixture.expect(nil, of: network, equals: "output", within: 2e-4, on: backends[backend])
    for (name, value) in Self.activations where fixture.has(name) {
      try fixture.expect(value, of: network, equals: name, within: 2e-4, on: backends[backend])
    }
  }

  @Test(arguments: ["io", "io-64x128"], [0, 1])
  func tadsrEqualsTheAuthorsCode(file: String, backend: Int) throws {
    let fixture = try Fixture("tadsr-tiny/\(file).safetensors")
    let network = try TADSR(
      unet: WeightStore(path: SharedFixtures.weights("tadsr-tiny/unet")),
      autoencoder: WeightStore(path: SharedFixtures.weights("tadsr-tiny/autoencoder")),
    )
    for name in ["latent_lq", "unet_input", "latent_sr"] where fixture.has(name) {
      try fixture.expect(name, of: network, equals: name, within: 2e-4, on: backends[backend])
    }
    try fixture.expect(nil, of: network, equals: "output", within: 1e-3, on: backends[backend])
  }
}

/// Inputs of a network and what another program made of them.
private struct Fixture {
  /// Whether the weights, which other programs saved, are in a format that is read here.
  static let canReadWeights =
    (try? WeightStore(path: SharedFixtures.weights("ctmsr-tiny/ctmsr"))) != nil

  private let store: WeightStore

  init(_ name: String) throws {
    store = try WeightStore(path: SharedFixtures.path(name))
  }

  func has(_ name: String) -> Bool { store.contains(name) }

  /// Runs a network up to a named value, or to its output, and compares it with a tensor; the tolerance is
  /// a part of the tensor's range.
  func expect(
    _ value: String?,
    of network: some Network,
    equals name: String,
    within tolerance: Float,
    on backend: any Backend,
  ) throws {
    let picture = try store.pictureTensor("lq")
    var graph = network.graph(height: picture.shape.height, width: picture.shape.width)
    if let value { graph.output = graph.named[value] }
    let program = try Program(backend.compile(graph))
    let expected = try store.pictureTensor(name)

    let output = try program.run(picture, store.pictureTensor("noise"))

    let actual = UnsafeBufferPointer(start: output, count: expected.shape.count)
    let range = (expected.samples.max() ?? 0) - (expected.samples.min() ?? 0)
    let error = maximumDifference(actual, expected.samples) / range
    #expect(error <= tolerance, "\(name): \(error) of the range")
  }
}

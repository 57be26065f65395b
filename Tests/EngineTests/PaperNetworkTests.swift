import TestSupport
import Testing

@testable import Engine

/// The papers' networks with small random weights against the authors' own code.
@Suite(.enabled(if: SharedFolder.fixtures.isExpected)) struct PaperNetworkTests {
  private static let activations = [
    ("act.64x64_conv", "enc.64x64_conv"), ("act.64x64_block0", "enc.64x64_block0"),
    ("act.32x32_down", "enc.32x32_down"), ("act.dec.8x8_in0", "dec.8x8_in0"),
    ("act.dec.16x16_up", "dec.16x16_up"),
  ]

  @Test(arguments: ["io", "io-64x128"], [0, 1])
  func ctmsrEqualsTheAuthorsCode(file: String, backend: Int) throws {
    let fixture = try Fixture("ctmsr-tiny/\(file).safetensors")
    let network = try CTMSR(WeightStore(path: SharedFolder.fixtures.path("ctmsr-tiny/ctmsr.pth")))
    try fixture.expect(nil, of: network, equals: "output", within: 2e-4, on: backends[backend])
    for (name, value) in Self.activations where fixture.has(name) {
      try fixture.expect(value, of: network, equals: name, within: 2e-4, on: backends[backend])
    }
  }

  @Test(arguments: ["io", "io-64x128"], [0, 1])
  func tadsrEqualsTheAuthorsCode(file: String, backend: Int) throws {
    let fixture = try Fixture("tadsr-tiny/\(file).safetensors")
    let network = try tadsr()
    for name in ["latent_lq", "unet_input", "latent_sr"] where fixture.has(name) {
      try fixture.expect(name, of: network, equals: name, within: 2e-4, on: backends[backend])
    }
    let errors = try errorsOfDecoding(fixture, on: backends[backend])
    #expect(errors.largest <= 1e-3)
  }

  @Test func tadsrIsOneGraph() throws {
    let fixture = try Fixture("tadsr-tiny/io.safetensors")
    let errors = try fixture.errors(of: tadsr(), nil, equals: "output", on: OneDNNBackend())
    #expect(errors.mean <= 1e-3)
  }

  @Test(.enabled(if: floatPrecisions.contains(.bfloat16)))
  func halfPrecisionIsNearTheAuthorsCode() throws {
    let half = OneDNNBackend(precision: .bfloat16)
    let ctmsr = try CTMSR(WeightStore(path: SharedFolder.fixtures.path("ctmsr-tiny/ctmsr.pth")))
    let picture = try Fixture("ctmsr-tiny/io.safetensors")
      .errors(of: ctmsr, nil, equals: "output", on: half)
    #expect(picture.mean <= 5e-3 && picture.largest <= 5e-2, "\(picture)")
    let latent = try Fixture("tadsr-tiny/io.safetensors")
      .errors(of: tadsr(), "latent_sr", equals: "latent_sr", on: half)
    #expect(latent.mean <= 5e-3 && latent.largest <= 5e-2, "\(latent)")
    // 40 dB.
    let decoded = try errorsOfDecoding(Fixture("tadsr-tiny/io.safetensors"), on: half)
    #expect(decoded.mean <= 1e-2, "\(decoded)")
  }

  // Where two codes are equally near, the last bit of the latent decides between them, so that the
  // picture follows from the authors' latent.
  private func errorsOfDecoding(
    _ fixture: Fixture,
    on backend: any Backend,
  ) throws -> (largest: Float, mean: Float) {
    let autoencoder = try VQAutoencoder(
      WeightStore(path: SharedFolder.fixtures.path("tadsr-tiny/autoencoder.pth"))
    )
    var graph = Graph()
    let latent = try fixture.tensor("latent_sr")
    graph.output = autoencoder.decode(graph.input(latent.shape), in: &graph)
    return try fixture.errors(of: graph, [latent], "output", on: backend)
  }

  private func tadsr() throws -> TADSR {
    try TADSR(
      unet: WeightStore(path: SharedFolder.fixtures.path("tadsr-tiny/unet.pth")),
      autoencoder: WeightStore(path: SharedFolder.fixtures.path("tadsr-tiny/autoencoder.pth")),
    )
  }
}

/// Inputs of a network and what another program made of them.
private struct Fixture {
  private let store: WeightStore

  init(_ name: String) throws {
    store = try WeightStore(path: SharedFolder.fixtures.path(name))
  }

  func has(_ name: String) -> Bool { store.contains(name) }

  func tensor(_ name: String) throws -> Tensor { try store.pictureTensor(name) }

  /// Runs a network up to a named value, or to its output, and compares it with a tensor; the tolerance is
  /// a part of the tensor's range.
  func expect(
    _ value: String?,
    of network: some Network,
    equals name: String,
    within tolerance: Float,
    on backend: any Backend,
  ) throws {
    let error = try errors(of: network, value, equals: name, on: backend).largest
    #expect(error <= tolerance, "\(name): \(error) of the range")
  }

  func errors(
    of network: some Network,
    _ value: String?,
    equals name: String,
    on backend: any Backend,
  ) throws -> (largest: Float, mean: Float) {
    let picture = try tensor("lq")
    var graph = network.graph(height: picture.shape.height, width: picture.shape.width)
    if let value { graph.output = graph.named[value] }
    return try errors(of: graph, [picture, tensor("noise")], name, on: backend)
  }

  /// The largest difference and the root of the mean squared one, as parts of the tensor's range.
  func errors(
    of graph: Graph,
    _ inputs: [Tensor],
    _ name: String,
    on backend: any Backend,
  ) throws -> (largest: Float, mean: Float) {
    let expected = try tensor(name).array
    let program = try Program(backend.compile(graph))
    let output =
      inputs.count == 1 ? try program.run(inputs[0]) : try program.run(inputs[0], inputs[1])
    let actual = withExtendedLifetime(program) {
      Array(UnsafeBufferPointer(start: output, count: expected.count))
    }
    let range = (expected.max() ?? 0) - (expected.min() ?? 0)
    let squares = zip(actual, expected).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let mean = (squares / Float(expected.count)).squareRoot()
    return (maximumDifference(actual, expected) / range, mean / range)
  }
}

extension Tensor {
  fileprivate var array: [Float] { withExtendedLifetime(self) { Array(samples) } }
}

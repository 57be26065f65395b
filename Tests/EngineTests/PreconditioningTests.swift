import Testing

@testable import Engine

@Suite struct PreconditioningTests {
  // The values that the definition gives in double precision, rounded.
  @Test(
    arguments: [
      (sigma: 0, skip: 1, out: 0, noise: -1.553652),
      (sigma: 1 / 4, skip: 0.0384615, out: 0.9805807, noise: -0.344582),
      (sigma: 1 / 3, skip: 0.0220049, out: 0.9889364, noise: -0.273158),
      (sigma: 1 / 2, skip: 0.0099010, out: 0.9950372, noise: -0.172289),
      (sigma: 2 / 3, skip: 0.0055935, out: 0.9971993, noise: -0.100617),
      (sigma: 3 / 4, skip: 0.0044248, out: 0.9977852, noise: -0.071255),
      (sigma: 1, skip: 0.0024938, out: 0.9987523, noise: 0.00049950),
    ] as [(sigma: Float, skip: Float, out: Float, noise: Float)]
  )
  func mixesAsTheDefinitionSays(
    level: (sigma: Float, skip: Float, out: Float, noise: Float)
  ) {
    let mix = Preconditioning(sigma: level.sigma)

    #expect(abs(mix.skip - level.skip) <= 5e-7)
    #expect(abs(mix.out - level.out) <= 5e-7)
    #expect(abs(mix.noise - level.noise) <= 7e-7)
  }

  @Test func passesTheInputThroughWithoutNoise() {
    let mix = Preconditioning(sigma: 0)

    #expect(mix.skip == 1)
    #expect(mix.out == 0)
  }

  // c_skip = s² / (q² + s²) and c_out = q / √(q² + s²) are ½ and 1/√2 where q = s.
  @Test(arguments: [0.25, 0.5, 1, 2] as [Float])
  func followsTheSpreadOfTheImages(sigmaData: Float) {
    let mix = Preconditioning(sigma: sigmaData / 10, sigmaData: sigmaData)

    #expect(abs(mix.skip - 0.5) <= 1e-6)
    #expect(abs(mix.out - Float(0.5).squareRoot()) <= 1e-6)
  }
}

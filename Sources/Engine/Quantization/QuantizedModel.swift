internal import EngineC
internal import Glibc

/// A model with factors of 8 bits, and what they cost in quality.
public struct QuantizedModel: Sendable {
  /// The model, which runs in 8 bits with ``Precision/int8``.
  public let model: Model

  /// The number of convolutions with factors.
  public let layerCount: Int

  /// How much lower the PSNR against the true pictures is than in single precision, in dB.
  public let loss: Double

  /// The PSNR against the result in single precision, in dB.
  public let fidelity: Double

  private let factors: [Int: IntegerFactors]

  /// The most pixels of a side that are looked at of a picture for a model of this scale.
  public static func longestSide(scale: Int) -> Int { PicturePair.range.upperBound * scale }

  /// Calibrates a model with pictures.
  ///
  /// The network sees each picture as it is and reduced by its scale; the latter, enlarged again, is
  /// compared with the picture itself. Pictures are cut where they are larger than is needed.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when no convolution can run in 8 bits, or when there
  ///   is no picture.
  public init(_ model: Model, pictures: [Image]) throws(EngineError) {
    let network = (model.network as? QuantizedNetwork)?.base ?? model.network
    let pairs = pictures.compactMap { PicturePair($0, scale: model.scale) }
    var calibration = Calibration(network, pictures: 2 * pairs.count)
    guard calibration.layerCount > 0 else {
      throw .model(
        subject: "'\(model.name)'",
        reason: "none of its convolutions reads what another one writes, so none can run in int8",
      )
    }
    guard !pairs.isEmpty else {
      throw .model(
        subject: "'\(model.name)'",
        reason: "calibration needs a picture of 64 input pixels a side at least",
      )
    }
    guard pairs.allSatisfy(\.whole.isFinite) else {
      throw .model(
        subject: "'\(model.name)'",
        reason: "calibration needs pictures of numbers, and one has infinite samples or none",
      )
    }
    for pair in pairs {
      try calibration.add(pair.reduced)
      try calibration.add(pair.whole)
    }
    guard calibration.isFinite else {
      throw .model(
        subject: "'\(model.name)'",
        reason: "what its layers make of the pictures is too large for numbers",
      )
    }
    factors = try calibration.factors()
    layerCount = factors.count
    self.model = model.with(QuantizedNetwork(base: network, factors: factors))
    (loss, fidelity) = try Self.quality(self.model, pairs)
  }

  /// The file of the model with its factors; what the file says about itself is kept.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public func file(
    _ stores: [WeightStore],
    metadata: [String: String],
  ) throws(EngineError) -> SafetensorsFile {
    let said = [
      "int8_loss_db": format(loss),
      "int8_psnr_db": format(fidelity),
    ]
    return try SafetensorsFile(
      stores,
      replacing: IntegerTensors.prefix,
      with: IntegerTensors.tensors(of: factors),
      metadata: metadata.merging(said) { _, new in new },
    )
  }

  private static func quality(
    _ model: Model,
    _ pairs: [PicturePair],
  ) throws(EngineError) -> (loss: Double, fidelity: Double) {
    var (exact, integer) = (Upscaler.Options(), Upscaler.Options())
    exact.backend = OneDNNBackend()
    integer.backend = OneDNNBackend(precision: .int8)
    let upscalers = try [exact, integer].map { (options) throws(EngineError) in
      try Upscaler(model: model, options: options)
    }
    var (loss, fidelity) = (0.0, 0.0)
    for pair in pairs {
      let results = try upscalers.map { (upscaler) throws(EngineError) in
        try upscaler.upscale(pair.reduced).wait()
      }
      loss += psnr(results[0], pair.whole) - psnr(results[1], pair.whole)
      fidelity += psnr(results[1], results[0])
    }
    return (loss / Double(pairs.count), fidelity / Double(pairs.count))
  }
}

/// A picture and its reduced copy.
private struct PicturePair {
  let whole: Image
  let reduced: Image

  // Enough to see what the network does, in input pixels.
  static let range = 64...192

  /// The middle of a picture, and the means of its blocks; nil when it is too small.
  init?(_ picture: Image, scale: Int) {
    let width = min(picture.width / scale, Self.range.upperBound)
    let height = min(picture.height / scale, Self.range.upperBound)
    guard min(width, height) >= min(Self.range.lowerBound / scale, Self.range.lowerBound) else {
      return nil
    }
    whole = picture.middle(width: width * scale, height: height * scale)
    reduced = Image(width: width, height: height)
    for index in 0..<Image.planeCount {
      let (out, mean) = (whole.plane(index), reduced.plane(index))
      for y in 0..<height {
        for x in 0..<width {
          var sum: Float = 0
          for dy in 0..<scale {
            for dx in 0..<scale { sum += out[(y * scale + dy) * whole.stride + x * scale + dx] }
          }
          mean[y * reduced.stride + x] = sum / Float(scale * scale)
        }
      }
    }
  }
}

extension Image {
  fileprivate var isFinite: Bool {
    (0..<Image.planeCount).allSatisfy { index in
      (0..<height).allSatisfy { y in
        (0..<width).allSatisfy { plane(index)[y * stride + $0].isFinite }
      }
    }
  }
}

/// The peak signal-to-noise ratio of two pictures of one size, all three planes together, in dB; the
/// same pictures have 100.
package func psnr(_ one: Image, _ other: Image) -> Double {
  var sum = 0.0
  for index in 0..<Image.planeCount {
    for y in 0..<one.height {
      for x in 0..<one.width {
        let difference = Double(
          one.plane(index)[y * one.stride + x] - other.plane(index)[y * other.stride + x]
        )
        sum += difference * difference
      }
    }
  }
  let mean = sum / Double(Image.planeCount * one.width * one.height)
  return mean > 0 ? min(100, -10 * log10(mean)) : 100
}

// Thousandths, as a card has them.
private func format(_ value: Double) -> String {
  let thousandths = Int((value * 1000).rounded())
  let digits = "\(abs(thousandths) % 1000)"
  let zeros = String(repeating: "0", count: 3 - digits.count)
  return "\(thousandths < 0 ? "-" : "")\(abs(thousandths) / 1000).\(zeros)\(digits)"
}

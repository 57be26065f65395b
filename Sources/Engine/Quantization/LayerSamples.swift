/// What a convolution reads while calibration pictures pass through the network.
///
/// Of each picture some pixels are taken, evenly over it, each with the neighbourhood that the kernel
/// sees.
struct LayerSamples {
  let convolution: Convolution

  /// The pixels taken, one after the other.
  private(set) var pixels: [Float] = []

  /// The sums of products of every two samples of a neighbourhood: a square matrix in the order of a
  /// filter's weights.
  private(set) var moments: [Float]

  /// The number of neighbourhoods in the sums.
  private(set) var count = 0

  private let pixelsPerPicture: Int

  /// Enough to tell the directions of a neighbourhood of 64 channels apart, with a few pictures.
  static let usualPixelsPerPicture = 2048

  init(_ convolution: Convolution, pixelsPerPicture: Int = usualPixelsPerPicture) {
    self.convolution = convolution
    self.pixelsPerPicture = pixelsPerPicture
    let depth = convolution.inputChannels * convolution.kernel * convolution.kernel
    moments = Array(repeating: 0, count: depth * depth)
  }

  /// The samples in a filter's neighbourhood.
  var depth: Int { convolution.inputChannels * convolution.kernel * convolution.kernel }

  /// Whether all samples are numbers.
  var isFinite: Bool { pixels.allSatisfy(\.isFinite) && moments.allSatisfy(\.isFinite) }

  /// Takes samples of a picture.
  mutating func add(_ picture: UnsafePointer<Float>, _ shape: Shape) throws(EngineError) {
    let output = convolution.output(for: shape)
    let taken = min(pixelsPerPicture, output.pixelCount)
    var gathered = [Float](repeating: 0, count: depth * taken)
    for index in 0..<taken {
      let pixel = index * output.pixelCount / taken
      let (row, column) = (pixel / output.width, pixel % output.width)
      gather(picture, shape, row: row, column: column, into: &gathered, index, of: taken)
      let centre =
        min(row * convolution.stride, shape.height - 1) * shape.width
        + min(column * convolution.stride, shape.width - 1)
      let first = picture + centre * shape.channels
      pixels.append(contentsOf: UnsafeBufferPointer(start: first, count: shape.channels))
    }
    var product = MatrixProduct(rows: depth, columns: depth, depth: taken)
    product.transposesB = true
    product.accumulates = true
    try OneDNNBackend().multiply(product, gathered, gathered, into: &moments)
    count += taken
  }

  // One column of a matrix that has a row per sample of a neighbourhood; zeros outside the picture.
  private func gather(
    _ picture: UnsafePointer<Float>,
    _ shape: Shape,
    row: Int,
    column: Int,
    into gathered: inout [Float],
    _ index: Int,
    of taken: Int,
  ) {
    let (kernel, before) = (convolution.kernel, convolution.padding.before)
    gathered.withUnsafeMutableBufferPointer { gathered in
      for place in 0..<(kernel * kernel) {
        let y = row * convolution.stride - before + place / kernel
        let x = column * convolution.stride - before + place % kernel
        guard (0..<shape.height).contains(y), (0..<shape.width).contains(x) else { continue }
        let pixel = picture + (y * shape.width + x) * shape.channels
        for channel in 0..<shape.channels {
          gathered[(channel * kernel * kernel + place) * taken + index] = pixel[channel]
        }
      }
    }
  }
}

extension LayerSamples {
  // Rare extremes are cut off where that makes the mean square error smaller.
  private static let shares: [Float] = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]

  /// The steps with the least mean square error, channel by channel.
  func steps() -> Steps {
    let channels = convolution.inputChannels
    let found = (0..<channels).map { channel in
      let samples = stride(from: channel, to: pixels.count, by: channels).map { pixels[$0] }
      let (low, high) = (min(samples.min() ?? 0, 0), max(samples.max() ?? 0, 0))
      let choices = Self.shares.map { Step(low: low * $0, high: high * $0) }
      let errors = choices.map { $0.squareError(samples) }
      let best = errors.indices.min { errors[$0] < errors[$1] } ?? 0
      return choices[best]
    }
    return Steps(sizes: found.map(\.size), zeros: found.map { UInt8($0.zero) })
  }

  private struct Step {
    let size: Float
    let zero: Float

    init(low: Float, high: Float) {
      // A channel that is never anything but zero gets a step all the same.
      size = max((high - low) / 255, 1e-6)
      zero = (-low / size).rounded()
    }

    func squareError(_ samples: [Float]) -> Double {
      var sum = 0.0
      for sample in samples {
        let step = min(max((sample / size + zero).rounded(), 0), 255)
        let error = (step - zero) * size - sample
        sum += Double(error * error)
      }
      return sum
    }
  }
}

/// TAD-SR, "Time-Aware Distillation for Real-World Image Super-Resolution" (2024): one step of ResShift's
/// U-Net between an encoder and a decoder.
///
/// ```
/// z_y = encode(bicubic)
/// z_T = z_y + κ √η_T · noise
/// z   = unet(z_T / √(κ² η_T + 1), lr)                     at the last time step
/// out = decode(z)
/// ```
///
/// SinSR's files, with the same networks and the same step, load as well.
public struct TADSR: Network {
  /// The factor by which the autoencoder shrinks: latents have the size of the low-resolution picture.
  public var scale: Int { autoencoder.factor }

  /// The picture is cut, then every tile is padded to whole windows at the lowest resolution, and clamped.
  public let tileRule = TileRule.overlap(alignment: 64, padsPicture: false, clampsTiles: true)

  private let unet: ResShiftUNet
  private let autoencoder: VQAutoencoder

  // The schedule of ResShift with 15 steps, of which the last one is taken.
  private static let time: Float = 14
  private static let kappa: Float = 2
  private static let rootEta: Float = 0.99

  /// Whether a file holds the U-Net.
  static func recognizes(_ store: WeightStore) -> Bool { ResShiftUNet.recognizes(store) }

  /// Reads the networks, from two files or from one that holds both.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when tensors are missing or do not fit together.
  public init(unet: WeightStore, autoencoder: WeightStore) throws(EngineError) {
    guard VQAutoencoder.recognizes(autoencoder) else {
      throw autoencoder.failure("it holds no autoencoder, which TAD-SR needs besides its U-Net")
    }
    self.autoencoder = try VQAutoencoder(autoencoder)
    // The noise that pictures start from has three channels.
    guard self.autoencoder.latentChannels == 3 else {
      throw autoencoder.failure(
        "its latents have \(self.autoencoder.latentChannels) channels, not 3"
      )
    }
    self.unet = try ResShiftUNet(unet, time: Self.time, latentChannels: 3)
  }

  /// The network for a picture of this size; inputs are the picture and noise of the same size.
  public func graph(height: Int, width: Int) -> Graph {
    var graph = Graph()
    let lowResolution = graph.input(Shape(height: height, width: width, channels: 3))
    let noise = graph.input(Shape(height: height, width: width, channels: 3))

    let bicubic = graph.bicubic(lowResolution, factor: scale)
    let encoded = autoencoder.encode(bicubic, in: &graph)
    let deviation = Self.kappa * Self.rootEta
    let shrink = 1 / (deviation * deviation + 1).squareRoot()
    let noisy = graph.weightedSum([(shrink, encoded), (shrink * deviation, noise)])
    let latent = unet.apply(to: noisy, beside: lowResolution, in: &graph)
    graph.output = autoencoder.decode(latent, in: &graph)

    graph.named = ["latent_lq": encoded, "unet_input": noisy, "latent_sr": latent]
    return graph
  }
}

import TestSupport
import Testing

@testable import Engine

/// Files that almost hold one of the papers' networks: every fault is the file's error.
@Suite struct PaperNetworkRefusalTests {
  /// The names and dimensions of a file's tensors.
  typealias Tensors = [String: [Int]]

  struct Fault: CustomTestStringConvertible, Sendable {
    let testDescription: String

    /// A part of the reason.
    let reason: String
    let make: @Sendable (inout Tensors) -> Void

    init(
      _ description: String,
      _ reason: String,
      _ make: @escaping @Sendable (inout Tensors) -> Void,
    ) {
      testDescription = description
      self.reason = reason
      self.make = make
    }
  }

  @Test func loadsTheFilesThatTheBadOnesAreMadeOf() throws {
    let folder = try TemporaryFolder()
    let ctmsr = try CTMSR(folder.store(Self.ctmsr()))
    let tadsr = try TADSR(unet: folder.store(Self.unet()), autoencoder: folder.store(Self.vq()))
    for network in [ctmsr, tadsr] as [any Network] {
      let graph = network.graph(height: 64, width: 64)
      #expect(try OneDNNBackend().compile(graph).outputShape.width == 64 * network.scale)
    }
  }

  @Test(arguments: ctmsrFaults)
  func refusesCTMSR(_ fault: Fault) throws {
    let folder = try TemporaryFolder()
    var tensors = Self.ctmsr()
    fault.make(&tensors)
    let store = try folder.store(tensors)
    expectModelError(fault.reason) { try CTMSR(store) }
  }

  @Test(arguments: unetFaults)
  func refusesTheUNet(_ fault: Fault) throws {
    let folder = try TemporaryFolder()
    var tensors = Self.unet()
    fault.make(&tensors)
    let (unet, autoencoder) = (try folder.store(tensors), try folder.store(Self.vq()))
    expectModelError(fault.reason) { try TADSR(unet: unet, autoencoder: autoencoder) }
  }

  @Test(arguments: autoencoderFaults)
  func refusesTheAutoencoder(_ fault: Fault) throws {
    let folder = try TemporaryFolder()
    var tensors = Self.vq()
    fault.make(&tensors)
    let (unet, autoencoder) = (try folder.store(Self.unet()), try folder.store(tensors))
    expectModelError(fault.reason) { try TADSR(unet: unet, autoencoder: autoencoder) }
  }

  private static let table = "attn.relative_position_bias_table"

  private static let ctmsrFaults = [
    Fault("a window of 4", "windows of 8") {
      $0["enc.16x16_block0.swin_layer.blocks.0.\(table)"] = [49, 1]
    },
    Fault("a table that is of no window", "position biases") {
      $0["enc.16x16_block0.swin_layer.blocks.0.\(table)"] = [226, 1]
    },
    Fault("three heads for 32 channels", "position biases") {
      $0["enc.16x16_block0.swin_layer.blocks.0.\(table)"] = [225, 3]
    },
    Fault("five levels", "levels") { $0 = Self.ctmsr(sides: [64, 32, 16, 8, 4]) },
    Fault("a level without pixels", "'dec.1x1_in0") { $0 = Self.ctmsr(sides: [1, 0]) },
    Fault("no embedding", "map_layer0") { $0["map_layer0.weight"] = nil },
    Fault("no embedding of endless waves", "no linear layer 'map_layer0'") {
      $0["map_layer0.weight"] = [0, 1 << 40]
    },
    Fault("no bias", "'enc.8x8_block0.conv1.bias' is missing") {
      $0["enc.8x8_block0.conv1.bias"] = nil
    },
    Fault("too many channels", "8 channels come in") {
      $0["dec.8x8_block0.conv0.weight"] = [4, 12, 3, 3]
    },
    Fault("an embedding of other channels", "its embedding") {
      $0["enc.16x16_block0.affine.weight"] = [3, 4]
      $0["enc.16x16_block0.affine.bias"] = [3]
    },
    Fault("doubling by a 1×1 kernel", "3×3") { $0["dec.16x16_up.conv0.weight"] = [4, 4, 1, 1] },
    Fault("enlarging by a 1×1 kernel", "3×3") { $0["conv_up1.weight"] = [4, 4, 1, 1] },
    Fault("a block too few", "too few blocks") { tensors in
      tensors = tensors.filter { !$0.key.hasPrefix("dec.16x16_block1") }
    },
    Fault("a block at another level", "another resolution") { tensors in
      tensors = tensors.filter { !$0.key.hasPrefix("dec.16x16_block1") }
      tensors.addCTMSRBlock("dec.8x8_block2", from: 8, hasSwin: false)
    },
  ]

  private static let unetFaults = [
    Fault("a window of 16", "windows of 8") {
      $0["input_blocks.1.1.blocks.1.\(table)"] = [31 * 31, 1]
    },
    Fault("no embedding of endless waves", "no linear layer over cosines") {
      $0["time_embed.0.weight"] = [0, 1 << 40]
    },
    Fault("no heads", "position biases") { $0["middle_block.1.blocks.0.\(table)"] = [225, 0] },
    Fault("five levels", "levels") { $0 = Self.unet(halvings: 4) },
    Fault("a missing norm", "'input_blocks.1.0.out_layers.0.weight' is missing") {
      $0["input_blocks.1.0.out_layers.0.weight"] = nil
    },
    Fault("a wrong shape", "32 channels come in") {
      $0["input_blocks.1.0.in_layers.2.weight"] = [32, 31, 3, 3]
    },
    Fault("doubling by a 1×1 kernel", "3×3") {
      $0["output_blocks.1.1.conv.weight"] = [32, 32, 1, 1]
    },
    Fault("doubling too early", "another resolution") { tensors in
      for name in ["weight", "bias"] {
        tensors["output_blocks.0.1.conv.\(name)"] = tensors.removeValue(
          forKey: "output_blocks.1.1.conv.\(name)"
        )
      }
    },
    Fault("halving in the middle", "another resolution") {
      $0.addLayer("middle_block.3.op", [32, 32, 3, 3])
    },
    Fault("doubling before any halving", "levels") {
      $0.addLayer("input_blocks.1.2.conv", [32, 32, 3, 3])
    },
  ]

  private static let autoencoderFaults = [
    Fault("no codebook", "no autoencoder") { $0["quantize.embedding.weight"] = nil },
    Fault("codes of four samples", "channels") { $0["quantize.embedding.weight"] = [8, 4] },
    Fault("no middle", "'encoder.mid.attn_1.norm.weight' is missing") {
      $0["encoder.mid.attn_1.norm.weight"] = nil
    },
    Fault("a wrong shape", "32 channels come in") {
      $0["decoder.up.0.block.0.conv1.weight"] = [32, 16, 3, 3]
    },
    Fault("31 channels in groups of 32", "groups") {
      $0["encoder.conv_in.weight"] = [31, 3, 3, 3]
      $0["encoder.conv_in.bias"] = [31]
    },
    Fault("halving by a 1×1 kernel", "3×3") {
      $0["encoder.down.0.downsample.conv.weight"] = [32, 32, 1, 1]
    },
    Fault("doubling by a 1×1 kernel", "3×3") {
      $0["decoder.up.1.upsample.conv.weight"] = [32, 32, 1, 1]
    },
    Fault("one halving, two doublings", "another factor") {
      $0.addLayer("decoder.up.0.upsample.conv", [32, 32, 3, 3])
    },
    Fault("four halvings", "shrinks 16 times") { $0 = Self.vq(halvings: 4) },
    Fault("no halving", "shrinks 1 times") { $0 = Self.vq(halvings: 0) },
  ]

  // MARK: Small files

  private static func ctmsr(sides: [Int] = [16, 8]) -> Tensors {
    var tensors: Tensors = [:]
    tensors.addLayer("map_layer0", [4, 4])
    tensors.addLayer("map_layer1", [4, 4])
    tensors.addLayer("enc.\(sides[0])x\(sides[0])_conv", [4, 51, 3, 3])
    for side in sides {
      if side != sides[0] { tensors.addCTMSRBlock("enc.\(side)x\(side)_down", from: 4) }
      tensors.addCTMSRBlock("enc.\(side)x\(side)_block0", from: 4, hasSwin: true)
    }
    for side in sides.reversed() {
      for entry in side == sides.last ? ["in0", "in1"] : ["up"] {
        tensors.addCTMSRBlock("dec.\(side)x\(side)_\(entry)", from: 4)
      }
      for index in 0..<2 { tensors.addCTMSRBlock("dec.\(side)x\(side)_block\(index)", from: 8) }
    }
    tensors.addNorm("dec.\(sides[0])x\(sides[0])_aux_norm", 4)
    tensors.addLayer("dec.\(sides[0])x\(sides[0])_aux_conv", [4, 4, 3, 3])
    tensors.addLayer("conv_up1", [4, 4, 3, 3])
    tensors.addLayer("conv_up2", [4, 4, 3, 3])
    tensors.addLayer("conv_last", [3, 4, 3, 3])
    return tensors
  }

  private static func unet(halvings: Int = 1) -> Tensors {
    var tensors: Tensors = [:]
    tensors.addLayer("time_embed.0", [8, 4])
    tensors.addLayer("time_embed.2", [8, 8])
    tensors.addLayer("input_blocks.0.0", [32, 6, 3, 3])
    tensors.addUNetBlock("input_blocks.1.0", from: 32)
    tensors.addSwin("input_blocks.1.1", channels: 32, blocks: 2)
    for level in 0..<halvings {
      tensors.addLayer("input_blocks.\(2 * level + 2).0.op", [32, 32, 3, 3])
      tensors.addUNetBlock("input_blocks.\(2 * level + 3).0", from: 32)
    }
    tensors.addUNetBlock("middle_block.0", from: 32)
    tensors.addSwin("middle_block.1", channels: 32, blocks: 2)
    tensors.addUNetBlock("middle_block.2", from: 32)
    for index in 0..<(2 * halvings + 2) {
      tensors.addUNetBlock("output_blocks.\(index).0", from: 64)
      if index % 2 == 1, index < 2 * halvings {
        tensors.addLayer("output_blocks.\(index).1.conv", [32, 32, 3, 3])
      }
    }
    tensors.addNorm("out.0", 32)
    tensors.addLayer("out.2", [3, 32, 3, 3])
    return tensors
  }

  private static func vq(halvings: Int = 1) -> Tensors {
    var tensors: Tensors = ["quantize.embedding.weight": [8, 3]]
    for (coder, level, change) in [("encoder", "down", "down"), ("decoder", "up", "up")] {
      tensors.addLayer("\(coder).conv_in", [32, 3, 3, 3])
      for index in 0...halvings {
        tensors.addVQBlock("\(coder).\(level).\(index).block.0")
        let changes = coder == "encoder" ? index < halvings : index > 0
        guard changes else { continue }
        tensors.addLayer("\(coder).\(level).\(index).\(change)sample.conv", [32, 32, 3, 3])
      }
      for block in ["block_1", "block_2"] { tensors.addVQBlock("\(coder).mid.\(block)") }
      tensors.addNorm("\(coder).mid.attn_1.norm", 32)
      for name in ["q", "k", "v", "proj_out"] {
        tensors.addLayer("\(coder).mid.attn_1.\(name)", [32, 32, 1, 1])
      }
      tensors.addNorm("\(coder).norm_out", 32)
      tensors.addLayer("\(coder).conv_out", [3, 32, 3, 3])
    }
    tensors.addLayer("quant_conv", [3, 3, 1, 1])
    tensors.addLayer("post_quant_conv", [3, 3, 1, 1])
    return tensors
  }
}

extension [String: [Int]] {
  fileprivate mutating func addLayer(_ name: String, _ dimensions: [Int]) {
    self["\(name).weight"] = dimensions
    self["\(name).bias"] = [dimensions[0]]
  }

  fileprivate mutating func addNorm(_ name: String, _ channels: Int) {
    addLayer(name, [channels])
  }

  fileprivate mutating func addCTMSRBlock(_ name: String, from inputs: Int, hasSwin: Bool = false) {
    addNorm("\(name).norm0", inputs)
    addLayer("\(name).conv0", [4, inputs, 3, 3])
    addLayer("\(name).affine", [4, 4])
    addNorm("\(name).norm1", 4)
    addLayer("\(name).conv1", [4, 4, 3, 3])
    if inputs != 4 { addLayer("\(name).skip", [4, inputs, 1, 1]) }
    guard hasSwin else { return }
    addSwin("\(name).swin_layer", channels: 4, blocks: 1)
    addLayer("\(name).swin_layer.conv", [4, 4, 3, 3])
  }

  fileprivate mutating func addUNetBlock(_ name: String, from inputs: Int) {
    addNorm("\(name).in_layers.0", inputs)
    addLayer("\(name).in_layers.2", [32, inputs, 3, 3])
    addLayer("\(name).emb_layers.1", [64, 8])
    addNorm("\(name).out_layers.0", 32)
    addLayer("\(name).out_layers.3", [32, 32, 3, 3])
    if inputs != 32 { addLayer("\(name).skip_connection", [32, inputs, 1, 1]) }
  }

  fileprivate mutating func addVQBlock(_ name: String) {
    addNorm("\(name).norm1", 32)
    addLayer("\(name).conv1", [32, 32, 3, 3])
    addNorm("\(name).norm2", 32)
    addLayer("\(name).conv2", [32, 32, 3, 3])
  }

  fileprivate mutating func addSwin(_ name: String, channels: Int, blocks: Int) {
    addLayer("\(name).patch_embed.proj", [32, channels, 1, 1])
    for index in 0..<blocks {
      let block = "\(name).blocks.\(index)"
      addNorm("\(block).norm1", 32)
      addLayer("\(block).attn.qkv", [96, 32])
      addLayer("\(block).attn.proj", [32, 32])
      self["\(block).attn.relative_position_bias_table"] = [225, 1]
      addNorm("\(block).norm2", 32)
      addLayer("\(block).mlp.fc1", [64, 32])
      addLayer("\(block).mlp.fc2", [32, 64])
    }
    addLayer("\(name).patch_unembed.proj", [channels, 32, 1, 1])
  }
}

extension TemporaryFolder {
  /// A file with tensors of zeros.
  fileprivate func store(_ tensors: [String: [Int]]) throws -> WeightStore {
    var entries: [String] = []
    var end = 0
    for (name, dimensions) in tensors.sorted(by: { $0.key < $1.key }) {
      let start = end
      end += 4 * dimensions.reduce(1, *)
      entries.append(
        "\"\(name)\":{\"dtype\":\"F32\",\"shape\":\(dimensions),\"data_offsets\":[\(start),\(end)]}"
      )
    }
    let header = "{\(entries.joined(separator: ","))}"
    return try load(safetensors(header, [UInt8](repeating: 0, count: end)))
  }
}

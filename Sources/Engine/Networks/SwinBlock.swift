/// A transformer block over windows of pixels, as CTMSR and ResShift use it.
///
/// ```
/// x = x + proj(attention(qkv(norm₁(x))))
/// x = x + fc₂(gelu(fc₁(norm₂(x))))
/// ```
///
/// The norms are group norms over the whole picture, not layer norms per pixel.
struct SwinBlock: Sendable {
  private let norm1: GroupNorm
  private let qkv: Convolution
  private let attention: WindowAttention
  private let projection: Convolution
  private let norm2: GroupNorm
  private let widening: Convolution
  private let narrowing: Convolution

  /// The side of windows in pixels.
  static let window = 8

  /// The levels of a network's resolution: at the last one, tiles with sides of 64 are one window.
  static let levelLimit = 4

  /// Reads a block, whose windows are moved by half their side when it is shifted.
  init(_ layers: Layers, channels: Int, isShifted: Bool) throws(EngineError) {
    attention = try layers["attn"].windowAttention(channels, isShifted: isShifted)
    norm1 = try layers["norm1"].groupNorm(channels, epsilon: 1e-5)
    qkv = try layers["attn.qkv"].convolution(from: channels, to: 3 * channels)
    projection = try layers["attn.proj"].convolution(from: channels, to: channels)
    norm2 = try layers["norm2"].groupNorm(channels, epsilon: 1e-5)
    widening = try layers["mlp.fc1"].convolution(from: channels, activation: .gelu)
    narrowing = try layers["mlp.fc2"].convolution(from: widening.outputChannels, to: channels)
  }

  func apply(to x: Graph.Value, in graph: inout Graph) -> Graph.Value {
    let tokens = graph.convolution(graph.groupNorm(x, norm1), qkv)
    let mixed = graph.windowAttention(tokens, attention)
    let y = graph.convolution(mixed, projection, addTo: x)
    let wide = graph.convolution(graph.groupNorm(y, norm2), widening)
    return graph.convolution(wide, narrowing, addTo: y)
  }
}

extension Layers {
  /// Reads the window's side and the number of heads from the shape of the position biases.
  fileprivate func windowAttention(
    _ channels: Int,
    isShifted: Bool,
  ) throws(EngineError) -> WindowAttention {
    let name = "relative_position_bias_table"
    let dimensions = try dimensions(name)
    guard dimensions.count == 2,
      let window = (1...64).first(where: { (2 * $0 - 1) * (2 * $0 - 1) == dimensions[0] }),
      dimensions[1] > 0, channels % dimensions[1] == 0
    else { throw failure("has position biases of the shape \(dimensions)") }
    // Tiles are whole windows at every level when their sides are multiples of 64 and this is 8.
    guard window == SwinBlock.window else {
      throw failure("has windows of \(window) pixels; networks with windows of 8 are known here")
    }
    return WindowAttention(
      heads: dimensions[1],
      window: window,
      shift: isShifted ? window / 2 : 0,
      relativeBias: try values(name, dimensions: dimensions),
    )
  }
}

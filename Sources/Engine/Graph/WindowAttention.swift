/// Attention between the pixels of square windows (Liu et al., "Swin Transformer", 2021).
///
/// The windows tile the picture. With a shift they lie that many pixels further down and right, and go
/// around the edges. Pixels that only meet there should not attend to each other, but the code that
/// ResShift's weights were trained with masks otherwise: windows around the right edge not at all, and
/// those around the lower edge by columns instead of rows. So does this.
public struct WindowAttention: Sendable {
  /// The number of heads, which share the channels in order.
  public let heads: Int

  /// The side of a window in pixels.
  public let window: Int

  /// How far the windows are moved, in pixels.
  public let shift: Int

  /// What is added to the scores: a row per offset between two pixels, (2 · window − 1)² of them with
  /// rows before columns, and a column per head.
  public let relativeBias: [Float]

  /// Creates an attention.
  public init(heads: Int, window: Int, shift: Int = 0, relativeBias: [Float]) {
    let offsets = (2 * window - 1) * (2 * window - 1)
    precondition(relativeBias.count == offsets * heads, "one bias per offset and head")
    precondition((0..<window).contains(shift), "a shift lies inside a window")
    self.heads = heads
    self.window = window
    self.shift = shift
    self.relativeBias = relativeBias
  }

  /// The bias of every pair of pixels: head, query, key.
  var pairBias: [Float] {
    let tokens = window * window
    return (0..<(heads * tokens * tokens)).map { index in
      let (head, query, key) = (index / (tokens * tokens), index / tokens % tokens, index % tokens)
      let rows = query / window - key / window + window - 1
      let columns = query % window - key % window + window - 1
      return relativeBias[(rows * (2 * window - 1) + columns) * heads + head]
    }
  }
}

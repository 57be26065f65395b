/// A network as a list of operations in the order in which they run.
///
/// A graph is built for one tile size, from top to bottom, and is then compiled by a ``Backend``:
///
/// ```swift
/// var graph = Graph()
/// let picture = graph.input(Shape(height: 180, width: 320, channels: 3))
/// let features = graph.convolution(picture, head)
/// graph.output = graph.pixelShuffle(graph.convolution(features, tail), factor: 4)
/// ```
public struct Graph: Sendable {
  /// A tensor of the graph: an input or the result of an operation.
  public struct Value: Hashable, Sendable {
    let index: Int
  }

  /// The inputs in the order in which they were made.
  public private(set) var inputs: [Value] = []

  /// The operations in execution order.
  public private(set) var operations: [Operation] = []

  /// The value that running the graph returns; set before compiling.
  public var output: Value?

  /// Whether the output, which is made last, is handed over a few rows at a time and never lies in memory as a whole.
  var isHandedOver = false

  /// Values that a network file calls by a name, for whoever compares them with another program's.
  public var named: [String: Value] = [:]

  private var shapes: [Shape] = []

  /// Creates a graph without values.
  public init() {}

  /// The size of a value.
  public func shape(of value: Value) -> Shape { shapes[value.index] }

  /// The number of values; their indices run from 0.
  var valueCount: Int { shapes.count }

  /// The rows of every value.
  var heights: [Int] { shapes.map(\.height) }

  /// Adds an input.
  public mutating func input(_ shape: Shape) -> Value {
    let value = makeValue(shape)
    inputs.append(value)
    return value
  }

  /// Adds `activation(convolution(x) + bias) + scale · residual`.
  public mutating func convolution(
    _ x: Value,
    _ convolution: Convolution,
    addTo residual: Value? = nil,
    scaledBy scale: Float = 1,
  ) -> Value {
    let input = shape(of: x)
    precondition(input.channels == convolution.inputChannels, "channels of \(input) do not fit")
    let shape = convolution.output(for: input)
    if let residual { precondition(self.shape(of: residual) == shape, "a residual has the size") }
    return append(
      .convolution(convolution, residualScale: scale),
      [x] + (residual.map { [$0] } ?? []),
      shape,
    )
  }

  /// Adds a 3×3 convolution of `x` enlarged twice by repeating pixels.
  ///
  /// It is computed at the size of `x`: four 2×2 convolutions, one for each pixel of a repeated block.
  public mutating func enlargedConvolution(_ x: Value, _ convolution: Convolution) -> Value {
    let input = shape(of: x)
    precondition(input.channels == convolution.inputChannels, "channels of \(input) do not fit")
    let shape = convolution.output(for: enlarged(input, by: 2))
    return append(.enlargedConvolution(convolution), [x], shape)
  }

  /// Adds a group norm.
  public mutating func groupNorm(_ x: Value, _ norm: GroupNorm) -> Value {
    let shape = shape(of: x)
    precondition(shape.channels == norm.scale.count, "channels of \(shape) do not fit")
    return append(.groupNorm(norm), [x], shape)
  }

  /// Adds a function of every sample.
  public mutating func activation(_ x: Value, _ activation: Activation) -> Value {
    append(.activation(activation), [x], shape(of: x))
  }

  /// Adds attention inside windows over queries, keys and values side by side.
  public mutating func windowAttention(_ qkv: Value, _ attention: WindowAttention) -> Value {
    var shape = shape(of: qkv)
    precondition(shape.channels % (3 * attention.heads) == 0, "heads share the channels")
    precondition(
      shape.height % attention.window == 0 && shape.width % attention.window == 0,
      "whole windows only",
    )
    shape.channels /= 3
    return append(.windowAttention(attention), [qkv], shape)
  }

  /// Adds attention of every pixel to all pixels, `softmax(q · kᵀ / √channels) · v`.
  public mutating func attention(queries: Value, keys: Value, values: Value) -> Value {
    let shape = shape(of: queries)
    precondition(self.shape(of: keys) == shape && self.shape(of: values) == shape, "one size")
    return append(.attention, [queries, keys, values], shape)
  }

  /// Adds the replacement of every pixel by the nearest code.
  public mutating func quantization(_ x: Value, _ codebook: Codebook) -> Value {
    let shape = shape(of: x)
    precondition(shape.channels == codebook.channels, "codes have the channels of \(shape)")
    return append(.quantization(codebook), [x], shape)
  }

  /// Adds the mean of blocks of `factor` × `factor` pixels.
  public mutating func mean(_ x: Value, factor: Int) -> Value {
    var shape = shape(of: x)
    precondition(shape.height % factor == 0 && shape.width % factor == 0, "whole blocks only")
    shape.height /= factor
    shape.width /= factor
    return append(.mean(factor: factor), [x], shape)
  }

  /// Adds the sum of values of one size, each times its weight.
  public mutating func weightedSum(_ terms: [(weight: Float, value: Value)]) -> Value {
    let shape = shape(of: terms[0].value)
    precondition(terms.allSatisfy { self.shape(of: $0.value) == shape }, "terms have one size")
    return append(.weightedSum(terms.map(\.weight)), terms.map(\.value), shape)
  }

  /// Adds `(h + x) · (sigmoid(h) − ½)`: a result that weighs itself (SPAN, equations 3 and 4).
  public mutating func parameterFreeAttention(_ h: Value, _ x: Value) -> Value {
    precondition(shape(of: h) == shape(of: x), "result and residual have one size")
    return append(.parameterFreeAttention, [h, x], shape(of: h))
  }

  /// Adds the values' channels side by side.
  public mutating func concatenation(_ values: [Value]) -> Value {
    var shape = shape(of: values[0])
    shape.channels = values.reduce(0) { $0 + self.shape(of: $1).channels }
    precondition(
      values.allSatisfy { self.shape(of: $0).pixelCount == shape.pixelCount },
      "concatenated values have one size",
    )
    return append(.concatenation, values, shape)
  }

  /// Adds PyTorch's `pixel_shuffle`: `factor²` channels become `factor` × `factor` pixels.
  public mutating func pixelShuffle(_ x: Value, factor: Int) -> Value {
    var shape = enlarged(shape(of: x), by: factor)
    precondition(shape.channels % (factor * factor) == 0, "channels come in groups of factor²")
    shape.channels /= factor * factor
    return append(.pixelShuffle(factor: factor), [x], shape)
  }

  /// Adds PyTorch's `pixel_unshuffle`: `factor` × `factor` pixels become `factor²` channels.
  public mutating func pixelUnshuffle(_ x: Value, factor: Int) -> Value {
    var shape = shape(of: x)
    precondition(shape.height % factor == 0 && shape.width % factor == 0, "whole blocks only")
    shape.height /= factor
    shape.width /= factor
    shape.channels *= factor * factor
    return append(.pixelUnshuffle(factor: factor), [x], shape)
  }

  /// Adds a nearest-neighbour enlargement.
  public mutating func nearest(_ x: Value, factor: Int) -> Value {
    append(.nearest(factor: factor), [x], enlarged(shape(of: x), by: factor))
  }

  /// Adds a bicubic enlargement.
  public mutating func bicubic(_ x: Value, factor: Int) -> Value {
    append(.bicubic(factor: factor), [x], enlarged(shape(of: x), by: factor))
  }

  /// Gives convolutions what they multiply where their picture is stored in 8 bits.
  ///
  /// - Parameter factors: The factors of each convolution, by its number among them.
  mutating func quantize(_ factors: [Int: IntegerFactors]) {
    var number = 0
    for (index, operation) in operations.enumerated() {
      guard case .convolution(var convolution, let scale) = operation.kind else { continue }
      convolution.integer = factors[number]
      number += 1
      let kind = Operation.Kind.convolution(convolution, residualScale: scale)
      replace(
        index,
        with: Operation(kind: kind, operands: operation.operands, result: operation.result),
      )
    }
  }

  /// Puts another operation, with the same result, in one's place.
  mutating func replace(_ place: Int, with operation: Operation) {
    precondition(operations[place].result == operation.result, "the result stays")
    operations[place] = operation
  }

  /// Takes out the operation with this result if nothing reads that any more.
  mutating func removeUnread(_ value: Value) {
    guard !operations.contains(where: { $0.operands.contains(value) }) else { return }
    operations.removeAll { $0.result == value }
  }

  private func enlarged(_ shape: Shape, by factor: Int) -> Shape {
    Shape(
      height: shape.height * factor,
      width: shape.width * factor,
      channels: shape.channels,
    )
  }

  private mutating func append(
    _ kind: Operation.Kind,
    _ operands: [Value],
    _ shape: Shape,
  ) -> Value {
    let result = makeValue(shape)
    operations.append(Operation(kind: kind, operands: operands, result: result))
    return result
  }

  private mutating func makeValue(_ shape: Shape) -> Value {
    shapes.append(shape)
    return Value(index: shapes.count - 1)
  }
}

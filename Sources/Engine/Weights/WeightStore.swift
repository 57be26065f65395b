/// The tensors of a model file, checked as a whole before the first one is read.
public struct WeightStore: Sendable {
  /// A tensor of weights as PyTorch lays it out: row-major, dimensions from slowest to fastest.
  public struct Weights: Sendable {
    /// The sizes of the dimensions.
    public let dimensions: [Int]

    /// The elements.
    public let values: [Float]
  }

  /// What messages call the file.
  public let subject: String

  /// The strings that describe the model.
  public let metadata: [String: String]

  private let file: WeightsFile
  private let tensors: [[UInt8]: StoredTensor]

  /// Reads and checks a file: safetensors, or what `torch.save` wrote of a state dict.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(path: String) throws(EngineError) {
    try self.init(path: path, bytes: Array(path.utf8CString))
  }

  /// Reads and checks a file whose path need not be text.
  ///
  /// - Parameters:
  ///   - path: What messages call it.
  ///   - bytes: The path as the system knows it, ending in zero.
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(path: String, bytes: [CChar]) throws(EngineError) {
    try self.init(subject: "'\(path)'") { () throws(WeightsFault) in try WeightsFile(path: bytes) }
  }

  /// Checks a file that lies in static memory, such as a bundled model.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)``.
  public init(
    staticBytes: UnsafeRawBufferPointer,
    subject: String,
  ) throws(EngineError) {
    try self.init(subject: subject) { WeightsFile(staticBytes) }
  }

  private init(
    subject: String,
    _ open: () throws(WeightsFault) -> WeightsFile,
  ) throws(EngineError) {
    self.subject = subject
    do throws(WeightsFault) {
      file = try open()
      let index = try TensorIndex(file)
      tensors = Dictionary(uniqueKeysWithValues: index.tensors.map { ($0.name, $0) })
      metadata = index.metadata
      try checkFinite()
    } catch {
      throw .model(subject: subject, reason: error.reason)
    }
  }

  /// The names of all tensors, sorted.
  public var names: [String] {
    tensors.keys.map { String(decoding: $0, as: UTF8.self) }.sorted()
  }

  /// Whether there is a tensor of this name.
  public func contains(_ name: String) -> Bool { dimensions(name) != nil }

  /// The sizes of a tensor's dimensions; nil when there is none of this name.
  public func dimensions(_ name: String) -> [Int]? { tensors[Array(name.utf8)]?.dimensions }

  /// Reads a tensor.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when it is missing or has other dimensions.
  public func weights(
    _ name: String,
    dimensions: [Int]? = nil,
  ) throws(EngineError) -> Weights {
    guard let tensor = tensors[Array(name.utf8)] else {
      throw failure("tensor '\(name)' is missing")
    }
    if let dimensions, dimensions != tensor.dimensions {
      throw failure("tensor '\(name)' has the shape \(tensor.dimensions), not \(dimensions)")
    }
    guard let values = try values(of: tensor) else {
      throw failure("tensor '\(name)' holds \(tensor.type.rawValue), not floats")
    }
    return Weights(dimensions: tensor.dimensions, values: values)
  }

  /// The number of weights; other numbers, such as indices, are not counted.
  public var parameterCount: Int {
    tensors.reduce(0) { sum, tensor in
      // The buffers of floats in the published files, CTMSR's filter and ResShift's mask, and the factors
      // of 8 bits, which are the same weights once more.
      let isBuffer =
        ["resample_filter", "attn_mask"].contains { name in
          tensor.key.suffix(name.utf8.count).elementsEqual(name.utf8)
        } || tensor.key.starts(with: IntegerTensors.prefix.utf8)
      return sum + (tensor.value.type.isFloat && !isBuffer ? tensor.value.count : 0)
    }
  }

  /// The SHA-256 digest of the whole file, in hexadecimal digits.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when the file cannot be read to its end.
  public func digest() throws(EngineError) -> String {
    var digest = SHA256()
    try reading { () throws(WeightsFault) in
      try file.forEachPiece(of: 0..<file.byteCount) { digest.update($0) }
    }
    return digest.hexadecimal
  }

  /// A tensor as it is stored; nil when there is none of this name.
  func tensor(_ name: String) -> StoredTensor? { tensors[Array(name.utf8)] }

  /// The tensors in the order of their names.
  var sortedTensors: [StoredTensor] {
    tensors.values.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// The bytes of a tensor in row-major order.
  func bytes(of tensor: StoredTensor) throws(EngineError) -> [UInt8] {
    try reading { () throws(WeightsFault) in try tensor.bytes(in: file) }
  }

  /// An error about this file.
  func failure(_ reason: String) -> EngineError { .model(subject: subject, reason: reason) }

  private func values(of tensor: StoredTensor) throws(EngineError) -> [Float]? {
    try reading { () throws(WeightsFault) in try tensor.floats(in: file) }
  }

  private func reading<Result>(
    _ body: () throws(WeightsFault) -> Result
  ) throws(EngineError) -> Result {
    do throws(WeightsFault) {
      return try body()
    } catch {
      throw failure(error.reason)
    }
  }

  private func checkFinite() throws(WeightsFault) {
    for tensor in tensors.values {
      guard try tensor.isFinite(in: file) else {
        throw WeightsFault("tensor \(escaped(tensor.name)) holds NaN or infinity")
      }
    }
  }
}

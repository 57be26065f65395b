/// What a pickle may build: plain values, and tensors as views of storages.
///
/// Containers hold indices into the machine's list of values, so values may be shared or contain
/// themselves, and are released without recursion.
enum PickleValue {
  /// The place of a value in ``PickleMachine/values``.
  typealias Reference = Int

  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  case text([UInt8])
  case tuple([Reference])
  case list([Reference])
  case dictionary([(key: Reference, value: Reference)], isOrdered: Bool)
  case global(PickleGlobal)
  case storage(Storage)
  case tensor(TensorView)

  /// The memory of tensors: a member of the archive.
  struct Storage {
    let type: ElementType
    let key: [UInt8]
    let count: Int
  }

  /// A tensor as elements of a storage.
  struct TensorView {
    let storage: Storage
    let offset: Int
    let dimensions: [Int]
    let strides: [Int]
  }
}

/// The names from Python that a file of weights needs; nothing else is known here, and nothing is called.
enum PickleGlobal {
  case orderedDictionary
  case rebuildTensor
  case rebuildParameter
  case storage(ElementType)

  /// Nil for every other name; compared as a whole.
  init?(module: [UInt8], name: [UInt8]) {
    switch (String(decoding: module, as: UTF8.self), String(decoding: name, as: UTF8.self)) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch", let name):
      guard let type = PickleGlobal.storages[name] else { return nil }
      self = .storage(type)
    default: return nil
    }
  }

  private static let storages: [String: ElementType] = [
    "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "DoubleStorage": .float64, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .boolean,
  ]
}

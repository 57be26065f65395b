/// The tensors of a file that `torch.save` wrote: a zip archive with a pickle and one member per storage.
struct StateDictionary {
  /// The tensors, in the order of the dictionary.
  let tensors: [StoredTensor]

  private static let tensorLimit = 4096

  // Training frameworks put the weights beside other things; averaged weights are the better ones.
  private static let nestings = ["params_ema", "params", "state_dict"]

  // What data-parallel training and torch.compile put before every name.
  private static let prefixes = ["module.", "_orig_mod."]

  init(_ file: WeightsFile) throws(WeightsFault) {
    let archive = try ZipArchive(file)
    try StateDictionary.checkByteOrder(archive, in: file)
    guard let member = archive.member("data.pkl") else {
      throw WeightsFault("the archive has no data.pkl; it was not written by torch.save")
    }
    guard member.range.count <= PickleMachine.byteLimit else {
      throw WeightsFault("the pickle has \(member.range.count) bytes; the limit is 64 MiB")
    }
    guard archive.member("constants.pkl") == nil else {
      throw WeightsFault("it is a TorchScript program; save the state_dict() of its model")
    }
    let (root, values) = try PickleMachine.read(file.bytes(member.range))
    let views = try StateDictionary.views(in: root, of: values)
    tensors = try views.map { (name, view) throws(WeightsFault) in
      try StoredTensor(name: name, view: view, in: archive)
    }
    try StateDictionary.checkSize(tensors, in: file)
  }

  // Written by torch 2.1 and later; every machine that we run on is little-endian.
  private static func checkByteOrder(
    _ archive: ZipArchive,
    in file: WeightsFile,
  ) throws(WeightsFault) {
    guard let member = archive.member("byteorder") else { return }
    let order = try file.bytes(member.range.prefix(16))
    guard order == Array("little".utf8) else {
      throw WeightsFault("its byte order is \(escaped(order)); only 'little' is read")
    }
  }

  private static func views(
    in root: PickleValue.Reference,
    of values: [PickleValue],
  ) throws(WeightsFault) -> [(name: [UInt8], view: PickleValue.TensorView)] {
    var views: [(name: [UInt8], view: PickleValue.TensorView)] = []
    var names: Set<[UInt8]> = []
    for (key, value) in try innermost(root, of: values) {
      guard case .text(let key) = values[key], case .tensor(let view) = values[value] else {
        continue
      }
      let name = withoutPrefixes(key)
      guard names.insert(name).inserted else {
        throw WeightsFault("tensor \(escaped(name)) is there twice")
      }
      views.append((name, view))
    }
    guard !views.isEmpty else { throw WeightsFault("there is no tensor with a name in it") }
    guard views.count <= tensorLimit else {
      throw WeightsFault("the file has \(views.count) tensors; the limit is \(tensorLimit)")
    }
    return views
  }

  /// The dictionary that holds the weights: the root, or one that it nests under a usual name.
  private static func innermost(
    _ root: PickleValue.Reference,
    of values: [PickleValue],
  ) throws(WeightsFault) -> [(key: Int, value: Int)] {
    guard case .dictionary(var pairs, _) = values[root] else {
      throw WeightsFault("it holds no dictionary of tensors; save model.state_dict()")
    }
    // Two levels are seen, as in state_dict under params; the bound ends circles.
    for _ in 0..<4 {
      guard let nested = nested(in: pairs, of: values) else { break }
      pairs = nested
    }
    return pairs
  }

  private static func nested(
    in pairs: [(key: Int, value: Int)],
    of values: [PickleValue],
  ) -> [(key: Int, value: Int)]? {
    for name in nestings {
      for (key, value) in pairs {
        guard case .text(Array(name.utf8)) = values[key] else { continue }
        if case .dictionary(let nested, _) = values[value] { return nested }
      }
    }
    return nil
  }

  private static func withoutPrefixes(_ name: [UInt8]) -> [UInt8] {
    var name = name[...]
    while let prefix = prefixes.first(where: { name.starts(with: $0.utf8) }) {
      name = name.dropFirst(prefix.utf8.count)
    }
    return Array(name)
  }

  // Views may share or repeat a storage, so the file's size is no bound. Networks share few tensors and
  // repeat small ones; more than this is made to fill the memory.
  private static let largestExpansion = 64

  private static func checkSize(
    _ tensors: [StoredTensor],
    in file: WeightsFile,
  ) throws(WeightsFault) {
    var byteCount = 0
    for tensor in tensors {
      // Neither overflows: a tensor by itself has been checked against the same limit. What lies between the
      // elements of a view is read with them.
      byteCount += max(tensor.count * tensor.type.byteCount, tensor.range.count)
      guard byteCount <= WeightsFile.byteLimit else {
        throw WeightsFault("its tensors have more than 2 GiB")
      }
    }
    guard byteCount <= largestExpansion * file.byteCount else {
      let times = "more than \(largestExpansion) times those of the file"
      throw WeightsFault("its tensors repeat so much that they have \(byteCount) bytes, \(times)")
    }
  }
}

extension StoredTensor {
  /// Checks a view against its storage: everything that it reaches must lie inside.
  fileprivate init(
    name: [UInt8],
    view: PickleValue.TensorView,
    in archive: ZipArchive,
  ) throws(WeightsFault) {
    func fault(_ reason: String) -> WeightsFault {
      WeightsFault("tensor \(escaped(name)) \(reason)")
    }
    let storage = view.storage
    guard let member = archive.member(of: storage) else {
      throw fault("has a storage \(escaped(storage.key)) that the archive lacks")
    }
    guard storage.type.byteCount(of: [storage.count]) == member.range.count else {
      throw fault("has a storage whose size is not that of its member")
    }
    guard view.dimensions.count == view.strides.count, view.dimensions.count <= 8,
      (view.dimensions + view.strides).allSatisfy({ $0 >= 0 }), view.offset >= 0
    else { throw fault("has a malformed shape") }
    // Without those that are zero: whoever multiplies sizes may do so in another order.
    guard let byteCount = storage.type.byteCount(of: view.dimensions.map { max($0, 1) }),
      byteCount <= WeightsFile.byteLimit
    else { throw fault("is larger than 2 GiB") }
    guard let span = view.span, span.upperBound <= storage.count else {
      throw fault("reaches outside its storage")
    }
    let start = member.range.lowerBound + span.lowerBound * storage.type.byteCount
    self.init(
      name: name,
      type: storage.type,
      dimensions: view.dimensions,
      strides: view.isContiguous ? nil : view.strides,
      range: start..<(start + span.count * storage.type.byteCount),
    )
  }
}

extension ZipArchive {
  // A key is a number; anything else is a name that torch never gives.
  fileprivate func member(of storage: PickleValue.Storage) -> Member? {
    guard storage.key.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return member("data/" + String(decoding: storage.key, as: UTF8.self))
  }
}

extension PickleValue.TensorView {
  /// The elements of the storage from the first to the last one reached; nil when they overflow.
  fileprivate var span: Range<Int>? {
    guard !dimensions.contains(0) else { return 0..<0 }
    var last = offset
    for (size, stride) in zip(dimensions, strides) {
      let (reach, tooFar) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, tooLarge) = last.addingReportingOverflow(reach)
      guard !tooFar, !tooLarge else { return nil }
      last = sum
    }
    return last < Int.max ? offset..<(last + 1) : nil
  }

  /// Whether the elements lie in row-major order without gaps.
  fileprivate var isContiguous: Bool {
    guard !dimensions.contains(0) else { return true }
    var expected = 1
    for (size, stride) in zip(dimensions, strides).reversed() where size != 1 {
      guard stride == expected else { return false }
      expected *= size
    }
    return true
  }
}

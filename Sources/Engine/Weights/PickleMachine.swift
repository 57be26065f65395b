/// Reads a pickle by building values; nothing is imported, called or resolved.
///
/// Of the instructions of Python's `pickletools` only those are known that `torch.save` writes for
/// weights, with the names of ``PickleGlobal``. Every other one ends the reading.
struct PickleMachine {
  typealias Reference = PickleValue.Reference

  /// All values that were built, in order.
  private(set) var values: [PickleValue] = []

  private var depths: [Int] = []
  private var reader: PickleReader
  private var stack: [Reference] = []
  private var marks: [Int] = []
  private var memo: [UInt32: Reference] = [:]

  // torch writes about 40 instructions and 350 bytes per tensor.
  static let byteLimit = 64 << 20
  private static let instructionLimit = 1_000_000
  private static let depthLimit = 64

  /// The value of a pickle, among all values that it built.
  static func read(
    _ pickle: [UInt8]
  ) throws(WeightsFault) -> (root: Reference, values: [PickleValue]) {
    var machine = PickleMachine(reader: PickleReader(pickle))
    for _ in 0..<instructionLimit {
      let code = try machine.reader.byte()
      if code == UInt8(ascii: ".") { return (try machine.pop(), machine.values) }
      try machine.execute(code)
    }
    throw WeightsFault("the pickle has more than \(instructionLimit) instructions")
  }

  private init(reader: PickleReader) {
    self.reader = reader
  }

  /// Executes one instruction; the names in comments are those of `pickletools`.
  private mutating func execute(_ code: UInt8) throws(WeightsFault) {
    switch code {
    case 0x80: try protocolVersion()  // PROTO
    case 0x95: _ = try reader.number(UInt64.self)  // FRAME: a hint for reading ahead
    case UInt8(ascii: "("): try mark()  // MARK
    case UInt8(ascii: "c"): try global(module: reader.line(), name: reader.line())  // GLOBAL
    case 0x93: try stackGlobal()  // STACK_GLOBAL
    case UInt8(ascii: "R"): try reduce()  // REDUCE
    case UInt8(ascii: "b"): try build()  // BUILD
    case UInt8(ascii: "Q"): try persistentStorage()  // BINPERSID
    case UInt8(ascii: "q"): try remember(UInt32(reader.byte()))  // BINPUT
    case UInt8(ascii: "r"): try remember(reader.number(UInt32.self))  // LONG_BINPUT
    case 0x94: try remember(UInt32(memo.count))  // MEMOIZE
    case UInt8(ascii: "h"): try recall(UInt32(reader.byte()))  // BINGET
    case UInt8(ascii: "j"): try recall(reader.number(UInt32.self))  // LONG_BINGET
    default:
      guard try !executeContainer(code) else { return }
      push(try scalar(code))
    }
  }

  /// Executes an instruction that makes or fills a container; false when it is none.
  private mutating func executeContainer(_ code: UInt8) throws(WeightsFault) -> Bool {
    switch code {
    case UInt8(ascii: ")"): push(.tuple([]))  // EMPTY_TUPLE
    case UInt8(ascii: "]"): push(.list([]))  // EMPTY_LIST
    case UInt8(ascii: "}"): push(.dictionary([], isOrdered: false))  // EMPTY_DICT
    case UInt8(ascii: "t"): try pushTuple(popToMark())  // TUPLE
    case 0x85...0x87: try pushTuple(pop(count: Int(code) - 0x84))  // TUPLE1, TUPLE2, TUPLE3
    case UInt8(ascii: "a"): try append(pop(count: 1))  // APPEND
    case UInt8(ascii: "e"): try append(popToMark())  // APPENDS
    case UInt8(ascii: "s"): try setItems(pop(count: 2))  // SETITEM
    case UInt8(ascii: "u"): try setItems(popToMark())  // SETITEMS
    default: return false
    }
    return true
  }

  private mutating func scalar(_ code: UInt8) throws(WeightsFault) -> PickleValue {
    switch code {
    case UInt8(ascii: "N"): .none  // NONE
    case 0x88: .boolean(true)  // NEWTRUE
    case 0x89: .boolean(false)  // NEWFALSE
    case UInt8(ascii: "J"): .integer(Int(try reader.number(Int32.self)))  // BININT
    case UInt8(ascii: "K"): .integer(Int(try reader.byte()))  // BININT1
    case UInt8(ascii: "M"): .integer(Int(try reader.number(UInt16.self)))  // BININT2
    case 0x8A: .integer(try reader.long(byteCount: Int(reader.byte())))  // LONG1
    case UInt8(ascii: "G"): .float(try reader.double())  // BINFLOAT
    case 0x8C: .text(try reader.text(byteCount: UInt64(reader.byte())))  // SHORT_BINUNICODE
    case UInt8(ascii: "X"):  // BINUNICODE
      .text(try reader.text(byteCount: UInt64(reader.number(UInt32.self))))
    case 0x8D: .text(try reader.text(byteCount: reader.number(UInt64.self)))  // BINUNICODE8
    default: throw WeightsFault("the pickle holds the instruction \(PickleMachine.name(of: code))")
    }
  }

  private mutating func protocolVersion() throws(WeightsFault) {
    let version = try reader.byte()
    guard (2...5).contains(version) else {
      throw WeightsFault("the pickle has protocol \(version); 2 to 5 are read")
    }
  }
}

// MARK: - Stack and memo

extension PickleMachine {
  private static let underflow = WeightsFault("the pickle takes a value that is not there")

  private mutating func push(_ value: PickleValue, depth: Int = 0) {
    values.append(value)
    depths.append(depth)
    stack.append(values.count - 1)
  }

  // Values below the last mark belong to the container that it begins.
  private mutating func pop() throws(WeightsFault) -> Reference {
    guard stack.count > marks.last ?? 0 else { throw PickleMachine.underflow }
    return stack.removeLast()
  }

  private mutating func pop(count: Int) throws(WeightsFault) -> [Reference] {
    guard stack.count - count >= marks.last ?? 0 else { throw PickleMachine.underflow }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(WeightsFault) -> [Reference] {
    guard let mark = marks.popLast() else { throw PickleMachine.underflow }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private func top() throws(WeightsFault) -> Reference {
    guard stack.count > marks.last ?? 0, let top = stack.last else { throw PickleMachine.underflow }
    return top
  }

  private mutating func mark() throws(WeightsFault) {
    guard marks.count < PickleMachine.depthLimit else { throw PickleMachine.tooDeep }
    marks.append(stack.count)
  }

  private mutating func remember(_ slot: UInt32) throws(WeightsFault) {
    memo[slot] = try top()
  }

  private mutating func recall(_ slot: UInt32) throws(WeightsFault) {
    guard let value = memo[slot] else {
      throw WeightsFault("the pickle recalls a value that it did not store")
    }
    stack.append(value)
  }
}

// MARK: - Containers

extension PickleMachine {
  private static let tooDeep = WeightsFault("the pickle nests more than \(depthLimit) deep")

  private mutating func pushTuple(_ items: [Reference]) throws(WeightsFault) {
    push(.tuple(items), depth: try depth(around: items))
  }

  private mutating func append(_ items: [Reference]) throws(WeightsFault) {
    let target = try top()
    guard case .list(var list) = values[target] else {
      throw WeightsFault("the pickle appends to something that is no list")
    }
    values[target] = .none  // so that the list is changed in place
    list += items
    values[target] = .list(list)
    depths[target] = max(depths[target], try depth(around: items))
  }

  private mutating func setItems(_ items: [Reference]) throws(WeightsFault) {
    let target = try top()
    guard case .dictionary(var pairs, let isOrdered) = values[target], items.count % 2 == 0 else {
      throw WeightsFault("the pickle sets items of something that is no dictionary")
    }
    values[target] = .none  // so that the pairs are changed in place
    for index in stride(from: 0, to: items.count, by: 2) {
      pairs.append((items[index], items[index + 1]))
    }
    values[target] = .dictionary(pairs, isOrdered: isOrdered)
    depths[target] = max(depths[target], try depth(around: items))
  }

  private func depth(around items: [Reference]) throws(WeightsFault) -> Int {
    let depth = 1 + (items.map { depths[$0] }.max() ?? 0)
    guard depth <= PickleMachine.depthLimit else { throw PickleMachine.tooDeep }
    return depth
  }
}

// MARK: - What torch.save means

extension PickleMachine {
  private mutating func global(module: [UInt8], name: [UInt8]) throws(WeightsFault) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw WeightsFault(
        "the pickle asks for \(escaped(module + Array(".".utf8) + name)), but only tensors are read and "
          + "nothing is run; of a whole model, save its state_dict()"
      )
    }
    push(.global(global))
  }

  private mutating func stackGlobal() throws(WeightsFault) {
    let names = try pop(count: 2)
    guard case .text(let module) = values[names[0]], case .text(let name) = values[names[1]] else {
      throw WeightsFault("the pickle asks for something whose name is no text")
    }
    try global(module: module, name: name)
  }

  private mutating func reduce() throws(WeightsFault) {
    let operands = try pop(count: 2)
    guard case .global(let global) = values[operands[0]],
      case .tuple(let arguments) = values[operands[1]]
    else { throw WeightsFault("the pickle calls something that is no known name") }
    switch global {
    case .orderedDictionary where arguments.isEmpty: push(.dictionary([], isOrdered: true))
    case .rebuildTensor: push(.tensor(try tensor(arguments)))
    case .rebuildParameter: push(try parameter(arguments))
    case .orderedDictionary, .storage:
      throw WeightsFault("the pickle makes a dictionary or storage in an unknown way")
    }
  }

  /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)`.
  private func tensor(_ arguments: [Reference]) throws(WeightsFault) -> PickleValue.TensorView {
    guard (6...7).contains(arguments.count), case .storage(let storage) = values[arguments[0]],
      case .integer(let offset) = values[arguments[1]],
      let dimensions = integers(arguments[2]), let strides = integers(arguments[3])
    else { throw WeightsFault("the pickle describes a tensor in an unknown way") }
    return .init(storage: storage, offset: offset, dimensions: dimensions, strides: strides)
  }

  /// `_rebuild_parameter(data, requires_grad, backward_hooks)`.
  private func parameter(_ arguments: [Reference]) throws(WeightsFault) -> PickleValue {
    guard arguments.count == 3, case .tensor = values[arguments[0]] else {
      throw WeightsFault("the pickle describes a parameter in an unknown way")
    }
    return values[arguments[0]]
  }

  /// `("storage", storage class, key, location, element count)`.
  private mutating func persistentStorage() throws(WeightsFault) {
    guard case .tuple(let parts) = values[try pop()], parts.count == 5,
      case .text(let tag) = values[parts[0]], tag == Array("storage".utf8),
      case .global(.storage(let type)) = values[parts[1]], case .text(let key) = values[parts[2]],
      case .integer(let count) = values[parts[4]], count >= 0
    else { throw WeightsFault("the pickle refers to something that is no storage") }
    push(.storage(.init(type: type, key: key, count: count)))
  }

  // torch sets attributes such as _metadata on the ordered dictionary; none of them is a weight.
  private mutating func build() throws(WeightsFault) {
    _ = try pop()
    guard case .dictionary(_, isOrdered: true) = values[try top()] else {
      throw WeightsFault("the pickle sets the state of something that is no ordered dictionary")
    }
  }

  private func integers(_ reference: Reference) -> [Int]? {
    guard case .tuple(let items) = values[reference] else { return nil }
    var integers: [Int] = []
    for item in items {
      guard case .integer(let integer) = values[item] else { return nil }
      integers.append(integer)
    }
    return integers
  }
}

// MARK: - Names of what is refused

extension PickleMachine {
  private static func name(of code: UInt8) -> String {
    let hexadecimal = "0x" + String(code, radix: 16)
    return refusedNames[code].map { "\($0) (\(hexadecimal))" } ?? hexadecimal
  }

  private static let refusedNames: [UInt8: String] = [
    UInt8(ascii: "i"): "INST", UInt8(ascii: "o"): "OBJ", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX",
    0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", UInt8(ascii: "P"): "PERSID",
    UInt8(ascii: "0"): "POP", UInt8(ascii: "1"): "POP_MARK", UInt8(ascii: "2"): "DUP",
    UInt8(ascii: "B"): "BINBYTES", UInt8(ascii: "C"): "SHORT_BINBYTES", 0x8E: "BINBYTES8",
    0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER", 0x8B: "LONG4",
    0x8F: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET", UInt8(ascii: "U"): "SHORT_BINSTRING",
    UInt8(ascii: "T"): "BINSTRING", UInt8(ascii: "S"): "STRING", UInt8(ascii: "V"): "UNICODE",
  ]
}

/// The ways in which the pickle of a file of `torch.save` can be hostile or broken, each with words of the reason.
extension TorchRefusalTests {
  private static let call = Pickle.global("posix", "system") + Pickle.tuple(Pickle.text("id"))

  static let programs: [BadFile] = [
    BadFile("call of a program", "asks for 'posix.system'", pickle: call + Pickle.reduce),
    BadFile(
      "call beside weights",
      "asks for 'posix.system'",
      pickle: Pickle.dictionary(("w", Pickle.tensor()), ("x", call + Pickle.reduce))
    ),
    BadFile(
      "call in the hooks of a tensor",
      "asks for 'posix.system'",
      tensor: Pickle.tensor(hooks: call + Pickle.reduce)
    ),
    BadFile(
      "call as the class of a storage",
      "asks for 'posix.system'",
      tensor: Pickle.tensor(storage: Pickle.storage(type: Pickle.global("posix", "system")))
    ),
    BadFile(
      "call, then truncated",
      "'posix.system'",
      torchFile([0x80, 2] + call + [0x52, 0x58, 255])
    ),
    BadFile("evaluation", "'builtins.eval'", pickle: Pickle.global("builtins", "eval")),
    BadFile("whole module", "save its state_dict()", pickle: Pickle.global("basicsr", "RRDBNet")),
    BadFile("dotted name", "'torch._utils.os'", pickle: Pickle.global("torch", "_utils.os")),
    BadFile(
      "longer module",
      "'torch._utilsX._rebuild_tensor_v2'",
      pickle: Pickle.global("torch._utilsX", "_rebuild_tensor_v2")
    ),
    BadFile(
      "carriage return in a name",
      #"'collections\r.OrderedDict\r'"#,
      pickle: Pickle.global("collections\r", "OrderedDict\r")
    ),
    BadFile(
      "names from the stack",
      "'posix.system'",
      pickle: Pickle.text("posix") + Pickle.text("system") + [0x93]
    ),
    BadFile(
      "names that are no texts",
      "whose name is no text",
      pickle: Pickle.integer(1) + Pickle.text("system") + [0x93]
    ),
    BadFile("instance", "INST (0x69)", pickle: Pickle.mark + Array("iposix\nsystem\n".utf8)),
    BadFile("object", "OBJ (0x6f)", pickle: Pickle.mark + Pickle.ordered + [0x6F]),
    BadFile("new object", "NEWOBJ (0x81)", pickle: Pickle.ordered + Pickle.emptyTuple + [0x81]),
    BadFile("extension", "EXT1 (0x82)", pickle: [0x82, 1]),
    BadFile("persistent text", "PERSID (0x50)", pickle: Array("P../../etc/passwd\n".utf8)),
    BadFile("unknown instruction", "0xfe", pickle: [0xFE]),
    BadFile(
      "call of a text",
      "no known name",
      pickle: Pickle.text("a") + Pickle.emptyTuple + [0x52]
    ),
    BadFile(
      "call of a storage class",
      "in an unknown way",
      pickle: Pickle.global("torch", "FloatStorage") + Pickle.emptyTuple + [0x52]
    ),
    BadFile(
      "state of a plain dictionary",
      "no ordered dictionary",
      pickle: Pickle.emptyDictionary + Pickle.emptyDictionary + [0x62]
    ),
    BadFile("bare pickle", "a bare pickle", Pickle.file(call + Pickle.reduce)),
    BadFile(
      "TorchScript",
      "TorchScript",
      torchFile(
        Pickle.file(Pickle.dictionary(("w", Pickle.tensor()))),
        members: [("m/constants.pkl", [])]
      )
    ),
  ]

  static let pickles: [BadFile] = [
    BadFile("no pickle", "ends too early", torchFile([])),
    BadFile("no end", "ends too early", torchFile([0x80, 2] + Pickle.ordered)),
    BadFile("no value", "not there", pickle: []),
    BadFile("protocol 1", "protocol 1;", torchFile([0x80, 1, 0x4E, 0x2E])),
    BadFile("protocol 255", "protocol 255;", torchFile([0x80, 255, 0x4E, 0x2E])),
    BadFile("call without operands", "not there", pickle: [0x52]),
    BadFile("items without a mark", "not there", pickle: Pickle.emptyDictionary + [0x75]),
    BadFile("taken from below the mark", "not there", pickle: Pickle.none + Pickle.mark + [0x85]),
    BadFile(
      "odd items",
      "no dictionary",
      pickle: Pickle.ordered + Pickle.mark + Pickle.none + [0x75]
    ),
    BadFile("items of a number", "no dictionary", pickle: Pickle.integer(1) + Pickle.mark + [0x75]),
    BadFile("append to a number", "no list", pickle: Pickle.integer(1) + Pickle.none + [0x61]),
    BadFile("unset slot", "did not store", pickle: [0x68, 9]),
    BadFile(
      "huge slot",
      "no dictionary of tensors",
      pickle: Pickle.none + [0x72, 0xFF, 0xFF, 0xFF, 0xFF]
    ),
    BadFile(
      "text of 4 GiB",
      "a text of 4294967295 bytes",
      pickle: [0x58, 0xFF, 0xFF, 0xFF, 0xFF]
    ),
    BadFile(
      "text of 2⁶⁴ − 1 bytes",
      "a text of 18446744073709551615 bytes",
      pickle: [0x8D] + Array(repeating: 0xFF, count: 8)
    ),
    BadFile(
      "integer of 255 bytes",
      "255 bytes",
      pickle: [0x8A, 255] + Array(repeating: 1, count: 255)
    ),
    BadFile("nested marks", "64 deep", pickle: Array(repeating: 0x28, count: 300_000)),
    BadFile(
      "nested tuples",
      "64 deep",
      pickle: Pickle.none + Array(repeating: 0x85, count: 500_000)
    ),
    BadFile(
      "too many instructions",
      "more than 1000000 instructions",
      pickle: Pickle.none + Array(repeating: [0x71, 0], count: 1_000_001).flatMap { $0 }
    ),
    BadFile("list that contains itself", "no dictionary", pickle: [0x5D, 0x71, 0, 0x68, 0, 0x61]),
    BadFile(
      "dictionary that contains itself",
      "no tensor with a name",
      pickle: Pickle.emptyDictionary + [0x71, 0] + Pickle.text("params") + [0x68, 0, 0x73]
    ),
    BadFile("list", "no dictionary of tensors", pickle: [0x5D] + Pickle.tensor() + [0x61]),
    BadFile(
      "numbers as names",
      "no tensor with a name",
      pickle: Pickle.emptyDictionary + Pickle.integer(1) + Pickle.tensor() + [0x73]
    ),
    BadFile(
      "no tensors",
      "no tensor with a name",
      pickle: Pickle.dictionary(("epoch", Pickle.integer(3)))
    ),
    BadFile(
      "one name twice",
      "tensor 'w' is there twice",
      pickle: Pickle.dictionary(("w", Pickle.tensor()), ("module.w", Pickle.tensor()))
    ),
  ]
}

extension BadFile {
  /// A sound archive with this pickle.
  init(_ fault: String, _ reason: String, pickle body: [UInt8]) {
    self.init(fault, reason, torchFile(Pickle.file(body)))
  }

  /// A sound archive and pickle with one tensor.
  init(_ fault: String, _ reason: String, tensor: [UInt8]) {
    self.init(fault, reason, pickle: Pickle.dictionary(("w", tensor)))
  }

  /// A sound file after a change of its archive.
  init(_ fault: String, _ reason: String, zip change: (inout ZipBuilder) -> Void) {
    var zip = ZipBuilder([
      ("m/data.pkl", Pickle.file(Pickle.dictionary(("w", Pickle.tensor())))),
      ("m/data/0", EngineTests.bytes(of: [1, 2, 3, 4])),
    ])
    change(&zip)
    self.init(fault, reason, zip.bytes)
  }
}

/// The ways in which a file of `torch.save` can be hostile or broken, each with words of the reason.
extension TorchRefusalTests {
  // Tensors of two elements, the first and the last of the same storage.
  private static func gaps(tensors: Int, storage count: Int) -> [UInt8] {
    let tensor = Pickle.tensor(storage: stored(count), size: [2], stride: [count - 1])
    let items = (0..<tensors).map { Pickle.text("w\($0)") + tensor }
    return Pickle.ordered + Pickle.mark + items.flatMap(\.self) + [0x75]
  }

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

  private static func stored(_ count: Int, type: String = "FloatStorage", key: String = "0")
    -> [UInt8]
  {
    Pickle.storage(type: Pickle.global("torch", type), key: Pickle.text(key), count: count)
  }

  static let tensors: [BadFile] = [
    BadFile("larger than its storage", "reaches outside", tensor: Pickle.tensor(size: [5])),
    BadFile("offset past the end", "reaches outside", tensor: Pickle.tensor(offset: 1)),
    BadFile(
      "offset of the last number",
      "reaches outside",
      tensor: Pickle.tensor(offset: .max, size: [], stride: [])
    ),
    BadFile("negative offset", "malformed shape", tensor: Pickle.tensor(offset: -1)),
    BadFile("stride past the end", "reaches outside", tensor: Pickle.tensor(stride: [1_000_000])),
    BadFile("negative stride", "malformed shape", tensor: Pickle.tensor(offset: 3, stride: [-1])),
    BadFile("negative size", "malformed shape", tensor: Pickle.tensor(size: [-4])),
    BadFile("ranks differ", "malformed shape", tensor: Pickle.tensor(size: [2, 2])),
    BadFile(
      "nine dimensions",
      "malformed shape",
      tensor: Pickle.tensor(
        size: Array(repeating: 1, count: 9),
        stride: Array(repeating: 1, count: 9)
      )
    ),
    BadFile(
      "elements overflow",
      "larger than 2 GiB",
      tensor: Pickle.tensor(size: [1 << 32, 1 << 32], stride: [1, 1])
    ),
    BadFile(
      "elements overflow beside none",
      "larger than 2 GiB",
      tensor: Pickle.tensor(size: [0, 1 << 40, 1 << 40], stride: [1, 1 << 40, 1])
    ),
    BadFile(
      "strides overflow",
      "reaches outside",
      tensor: Pickle.tensor(size: [2, 2], stride: [1 << 62, 1 << 62])
    ),
    BadFile(
      "last element is 2⁶³ − 1",
      "reaches outside",
      tensor: Pickle.tensor(size: [2], stride: [.max])
    ),
    BadFile(
      "repeated without end",
      "larger than 2 GiB",
      tensor: Pickle.tensor(size: [1 << 40], stride: [0])
    ),
    BadFile(
      "many repetitions",
      "more than 2 GiB",
      pickle: Pickle.dictionary(
        ("a", Pickle.tensor(size: [1 << 28], stride: [0])),
        ("b", Pickle.tensor(size: [1 << 28], stride: [0])),
        ("c", Pickle.tensor(size: [1 << 28], stride: [0]))
      )
    ),
    BadFile(
      "one storage for many elements",
      "bytes, more than 64 times those of the file",
      tensor: Pickle.tensor(size: [1 << 27], stride: [0])
    ),
    BadFile(
      "one storage for many tensors",
      "bytes, more than 64 times those of the file",
      pickle: Pickle.dictionary(
        ("a", Pickle.tensor(size: [1 << 16], stride: [0])),
        ("b", Pickle.tensor(size: [1 << 16], stride: [0]))
      )
    ),
    BadFile(
      "many tensors with gaps",
      "bytes, more than 64 times those of the file",
      ZipBuilder([
        ("m/data.pkl", Pickle.file(gaps(tensors: 80, storage: 25_000))),
        ("m/data/0", [UInt8](repeating: 0, count: 100_000)),
      ]).bytes
    ),
    BadFile(
      "not a number among repetitions",
      "tensor 'w' holds NaN",
      ZipBuilder([
        (
          "m/data.pkl",
          Pickle.file(Pickle.dictionary(("w", Pickle.tensor(size: [3, 4], stride: [0, 1]))))
        ),
        ("m/data/0", bytes(of: [1, 2, 3, .infinity])),
      ]).bytes
    ),
    BadFile("storage too long", "not that of its", tensor: Pickle.tensor(storage: stored(4000))),
    BadFile(
      "storage overflows",
      "not that of its",
      tensor: Pickle.tensor(storage: stored(1 << 60))
    ),
    BadFile(
      "storage wraps to four bytes",
      "not that of its",
      tensor: Pickle.tensor(storage: stored(0x4000_0000_0000_0001))
    ),
    BadFile("negative storage", "no storage", tensor: Pickle.tensor(storage: stored(-4))),
    BadFile(
      "storage of another type",
      "not that of its",
      tensor: Pickle.tensor(storage: stored(4, type: "DoubleStorage"))
    ),
    BadFile(
      "missing storage",
      "storage '9' that the archive lacks",
      tensor: Pickle.tensor(storage: stored(4, key: "9"))
    ),
    BadFile(
      "storage by a path",
      "'../../../etc/hostname'",
      tensor: Pickle.tensor(storage: stored(4, key: "../../../etc/hostname"))
    ),
    BadFile(
      "key is a number",
      "no storage",
      tensor: Pickle.tensor(storage: Pickle.storage(key: Pickle.integer(0)))
    ),
    BadFile(
      "other tag",
      "no storage",
      tensor: Pickle.tensor(storage: Pickle.storage(tag: "module"))
    ),
    BadFile(
      "short identifier",
      "no storage",
      pickle: Pickle.tuple(Pickle.text("storage")) + [0x51]
    ),
    BadFile(
      "no arguments",
      "describes a tensor in an unknown way",
      pickle: Pickle.global("torch._utils", "_rebuild_tensor_v2") + Pickle.emptyTuple + [0x52]
    ),
    BadFile(
      "parameter of nothing",
      "describes a parameter in an unknown way",
      pickle: Pickle.global("torch._utils", "_rebuild_parameter") + Pickle.emptyTuple + [0x52]
    ),
    BadFile(
      "not a number",
      "tensor 'w' holds NaN",
      ZipBuilder([
        ("m/data.pkl", Pickle.file(Pickle.dictionary(("w", Pickle.tensor())))),
        ("m/data/0", bytes(of: [1, 2, .nan, 4])),
      ]).bytes
    ),
    BadFile(
      "big-endian",
      "byte order is 'big'",
      ZipBuilder([("m/data.pkl", Pickle.file(Pickle.ordered)), ("m/byteorder", Array("big".utf8))])
        .bytes
    ),
  ]

  static let archives: [BadFile] = [
    BadFile("truncated", "end record is missing", Array(torchFile([]).dropLast(30))),
    BadFile("bytes appended", "end record is missing", zip: { $0.suffix = [0] }),
    BadFile(
      "only an end record",
      "0 members",
      zip: {
        $0.members = []; $0.hasZip64 = false
      }
    ),
    BadFile("second end record", "0 members") {
      $0.suffix = littleEndian([0x0605_4B50, 0, 0, 0, 0] as [UInt32]) + [0, 0]
    },
    BadFile("bytes before", "leaves a hole before it", zip: { $0.prefix = Array("PK".utf8) }),
    BadFile("bytes before the directory", "directory is not where") {
      $0.directoryOffset = 10
      $0.hasZip64 = false
    },
    BadFile("members claimed", "end records disagree", zip: { $0.count = 3 }),
    BadFile("members claimed by ZIP64", "end records disagree", zip: { $0.zip64Count = 1 << 40 }),
    BadFile("locator lies", "ZIP64 end record is malformed", zip: { $0.locatorOffset = 1 << 63 }),
    BadFile("too many members", "65535 members; 1 to 8192 are read") {
      $0.count = 0xFFFF
      $0.hasZip64 = false
    },
    BadFile("bytes after the members", "bytes before its directory") { $0.beforeDirectory = [0] },
    BadFile("one member fewer", "bytes left over") {
      $0.count = 1
      $0.hasZip64 = false
    },
    BadFile("one member more", "directory is malformed") {
      $0.count = 3
      $0.hasZip64 = false
    },
    BadFile("two members of one name", "has two members 'm/data/0'") {
      $0.members.append($0.members[1])
    },
    BadFile("two folders", "not in one folder") {
      $0.members.append(ZipBuilder.Member("n/data.pkl", []))
    },
    BadFile("no folder", "not in one folder") { zip in
      zip.members = zip.members.map { ZipBuilder.Member("a", $0.data) }
      zip.members.removeLast()
    },
    BadFile("absolute names", "not in one folder") { zip in
      zip.members = zip.members.map {
        ZipBuilder.Member("/" + String(decoding: $0.name, as: UTF8.self), $0.data)
      }
    },
    BadFile("no data.pkl", "no data.pkl", zip: { $0.members.removeFirst() }),
    BadFile("compressed", "is compressed", zip: { $0.members[1].method = 8 }),
    BadFile("encrypted", "is encrypted", zip: { $0.members[1].flags |= 1 }),
    BadFile("wrong checksum", "its checksum differs", zip: { $0.members[1].checksum ^= 1 }),
    BadFile("other sizes", "do not fit together", zip: { $0.members[1].storedSize = 15 }),
    BadFile("on another disk", "do not fit together", zip: { $0.members[1].disk = 1 }),
    BadFile("sizes elsewhere", "lies outside the file") {
      $0.members[1].size = 0xFFFF_FFFF
      $0.members[1].storedSize = 0xFFFF_FFFF
    },
    BadFile("offset past the end", "leaves a hole before it") {
      $0.members[1].offset = 0x7FFF_FFFF
    },
    BadFile("one member over another", "overlaps another") { $0.members[1].offset = 0 },
    BadFile("other local name", "local header that differs") {
      $0.members[1].localName = Array("m/data/1".utf8)
    },
    BadFile("other size in the descriptor", "descriptor that differs") {
      $0.members[1].descriptorSize = 15
    },
    BadFile("other size in the local header", "local header that differs") {
      $0.members[1].flags = 0
      $0.members[1].descriptorSize = 15
    },
    BadFile("neither format", "neither a safetensors file nor", Array(repeating: 0xA5, count: 200)),
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

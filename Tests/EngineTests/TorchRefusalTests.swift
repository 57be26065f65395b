import Foundation
import TestSupport
import Testing

@testable import Engine

/// Hostile and broken files of `torch.save`: each is refused with one reason, and nothing is run.
@Suite struct TorchRefusalTests {
  struct Bad: CustomTestStringConvertible {
    let fault: String
    let reason: String
    let bytes: [UInt8]

    var testDescription: String { fault }

    init(_ fault: String, _ reason: String, _ bytes: [UInt8]) {
      self.fault = fault
      self.reason = reason
      self.bytes = bytes
    }

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

  private static let call = Pickle.global("posix", "system") + Pickle.tuple(Pickle.text("id"))

  private static let programs: [Bad] = [
    Bad("call of a program", "asks for 'posix.system'", pickle: call + Pickle.reduce),
    Bad(
      "call beside weights",
      "asks for 'posix.system'",
      pickle: Pickle.dictionary(("w", Pickle.tensor()), ("x", call + Pickle.reduce))
    ),
    Bad(
      "call in the hooks of a tensor",
      "asks for 'posix.system'",
      tensor: Pickle.tensor(hooks: call + Pickle.reduce)
    ),
    Bad(
      "call as the class of a storage",
      "asks for 'posix.system'",
      tensor: Pickle.tensor(storage: Pickle.storage(type: Pickle.global("posix", "system")))
    ),
    Bad(
      "call, then truncated",
      "'posix.system'",
      torchFile([0x80, 2] + call + [0x52, 0x58, 255])
    ),
    Bad("evaluation", "'builtins.eval'", pickle: Pickle.global("builtins", "eval")),
    Bad("whole module", "save its state_dict()", pickle: Pickle.global("basicsr", "RRDBNet")),
    Bad("dotted name", "'torch._utils.os'", pickle: Pickle.global("torch", "_utils.os")),
    Bad(
      "longer module",
      "'torch._utilsX._rebuild_tensor_v2'",
      pickle: Pickle.global("torch._utilsX", "_rebuild_tensor_v2")
    ),
    Bad(
      "carriage return in a name",
      #"'collections\r.OrderedDict\r'"#,
      pickle: Pickle.global("collections\r", "OrderedDict\r")
    ),
    Bad(
      "names from the stack",
      "'posix.system'",
      pickle: Pickle.text("posix") + Pickle.text("system") + [0x93]
    ),
    Bad(
      "names that are no texts",
      "whose name is no text",
      pickle: Pickle.integer(1) + Pickle.text("system") + [0x93]
    ),
    Bad("instance", "INST (0x69)", pickle: Pickle.mark + Array("iposix\nsystem\n".utf8)),
    Bad("object", "OBJ (0x6f)", pickle: Pickle.mark + Pickle.ordered + [0x6F]),
    Bad("new object", "NEWOBJ (0x81)", pickle: Pickle.ordered + Pickle.emptyTuple + [0x81]),
    Bad("extension", "EXT1 (0x82)", pickle: [0x82, 1]),
    Bad("persistent text", "PERSID (0x50)", pickle: Array("P../../etc/passwd\n".utf8)),
    Bad("unknown instruction", "0xfe", pickle: [0xFE]),
    Bad("call of a text", "no known name", pickle: Pickle.text("a") + Pickle.emptyTuple + [0x52]),
    Bad(
      "call of a storage class",
      "in an unknown way",
      pickle: Pickle.global("torch", "FloatStorage") + Pickle.emptyTuple + [0x52]
    ),
    Bad(
      "state of a plain dictionary",
      "no ordered dictionary",
      pickle: Pickle.emptyDictionary + Pickle.emptyDictionary + [0x62]
    ),
    Bad("bare pickle", "a bare pickle", Pickle.file(call + Pickle.reduce)),
    Bad(
      "TorchScript",
      "TorchScript",
      torchFile(
        Pickle.file(Pickle.dictionary(("w", Pickle.tensor()))),
        members: [("m/constants.pkl", [])]
      )
    ),
  ]

  private static let pickles: [Bad] = [
    Bad("no pickle", "ends too early", torchFile([])),
    Bad("no end", "ends too early", torchFile([0x80, 2] + Pickle.ordered)),
    Bad("no value", "not there", pickle: []),
    Bad("protocol 1", "protocol 1;", torchFile([0x80, 1, 0x4E, 0x2E])),
    Bad("protocol 255", "protocol 255;", torchFile([0x80, 255, 0x4E, 0x2E])),
    Bad("call without operands", "not there", pickle: [0x52]),
    Bad("items without a mark", "not there", pickle: Pickle.emptyDictionary + [0x75]),
    Bad("taken from below the mark", "not there", pickle: Pickle.none + Pickle.mark + [0x85]),
    Bad("odd items", "no dictionary", pickle: Pickle.ordered + Pickle.mark + Pickle.none + [0x75]),
    Bad("items of a number", "no dictionary", pickle: Pickle.integer(1) + Pickle.mark + [0x75]),
    Bad("append to a number", "no list", pickle: Pickle.integer(1) + Pickle.none + [0x61]),
    Bad("unset slot", "did not store", pickle: [0x68, 9]),
    Bad(
      "huge slot",
      "no dictionary of tensors",
      pickle: Pickle.none + [0x72, 0xFF, 0xFF, 0xFF, 0xFF]
    ),
    Bad(
      "text of 4 GiB",
      "a text of 4294967295 bytes",
      pickle: [0x58, 0xFF, 0xFF, 0xFF, 0xFF]
    ),
    Bad(
      "text of 2⁶⁴ − 1 bytes",
      "a text of 18446744073709551615 bytes",
      pickle: [0x8D] + Array(repeating: 0xFF, count: 8)
    ),
    Bad(
      "integer of 255 bytes",
      "255 bytes",
      pickle: [0x8A, 255] + Array(repeating: 1, count: 255)
    ),
    Bad("nested marks", "64 deep", pickle: Array(repeating: 0x28, count: 300_000)),
    Bad("nested tuples", "64 deep", pickle: Pickle.none + Array(repeating: 0x85, count: 500_000)),
    Bad(
      "too many instructions",
      "more than 1000000 instructions",
      pickle: Pickle.none + Array(repeating: [0x71, 0], count: 1_000_001).flatMap { $0 }
    ),
    Bad("list that contains itself", "no dictionary", pickle: [0x5D, 0x71, 0, 0x68, 0, 0x61]),
    Bad(
      "dictionary that contains itself",
      "no tensor with a name",
      pickle: Pickle.emptyDictionary + [0x71, 0] + Pickle.text("params") + [0x68, 0, 0x73]
    ),
    Bad("list", "no dictionary of tensors", pickle: [0x5D] + Pickle.tensor() + [0x61]),
    Bad(
      "numbers as names",
      "no tensor with a name",
      pickle: Pickle.emptyDictionary + Pickle.integer(1) + Pickle.tensor() + [0x73]
    ),
    Bad(
      "no tensors",
      "no tensor with a name",
      pickle: Pickle.dictionary(("epoch", Pickle.integer(3)))
    ),
    Bad(
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

  private static let tensors: [Bad] = [
    Bad("larger than its storage", "reaches outside", tensor: Pickle.tensor(size: [5])),
    Bad("offset past the end", "reaches outside", tensor: Pickle.tensor(offset: 1)),
    Bad("negative offset", "malformed shape", tensor: Pickle.tensor(offset: -1)),
    Bad("stride past the end", "reaches outside", tensor: Pickle.tensor(stride: [1_000_000])),
    Bad("negative stride", "malformed shape", tensor: Pickle.tensor(offset: 3, stride: [-1])),
    Bad("negative size", "malformed shape", tensor: Pickle.tensor(size: [-4])),
    Bad("ranks differ", "malformed shape", tensor: Pickle.tensor(size: [2, 2])),
    Bad(
      "nine dimensions",
      "malformed shape",
      tensor: Pickle.tensor(
        size: Array(repeating: 1, count: 9),
        stride: Array(repeating: 1, count: 9)
      )
    ),
    Bad(
      "elements overflow",
      "larger than 2 GiB",
      tensor: Pickle.tensor(size: [1 << 32, 1 << 32], stride: [1, 1])
    ),
    Bad(
      "strides overflow",
      "reaches outside",
      tensor: Pickle.tensor(size: [2, 2], stride: [1 << 62, 1 << 62])
    ),
    Bad(
      "last element is 2⁶³ − 1",
      "reaches outside",
      tensor: Pickle.tensor(size: [2], stride: [.max])
    ),
    Bad(
      "repeated without end",
      "larger than 2 GiB",
      tensor: Pickle.tensor(size: [1 << 40], stride: [0])
    ),
    Bad(
      "many repetitions",
      "more than 2 GiB",
      pickle: Pickle.dictionary(
        ("a", Pickle.tensor(size: [1 << 28], stride: [0])),
        ("b", Pickle.tensor(size: [1 << 28], stride: [0])),
        ("c", Pickle.tensor(size: [1 << 28], stride: [0]))
      )
    ),
    Bad("storage too long", "not that of its", tensor: Pickle.tensor(storage: stored(4000))),
    Bad("storage overflows", "not that of its", tensor: Pickle.tensor(storage: stored(1 << 60))),
    Bad(
      "storage wraps to four bytes",
      "not that of its",
      tensor: Pickle.tensor(storage: stored(0x4000_0000_0000_0001))
    ),
    Bad("negative storage", "no storage", tensor: Pickle.tensor(storage: stored(-4))),
    Bad(
      "storage of another type",
      "not that of its",
      tensor: Pickle.tensor(storage: stored(4, type: "DoubleStorage"))
    ),
    Bad(
      "missing storage",
      "storage '9' that the archive lacks",
      tensor: Pickle.tensor(storage: stored(4, key: "9"))
    ),
    Bad(
      "storage by a path",
      "'../../../etc/hostname'",
      tensor: Pickle.tensor(storage: stored(4, key: "../../../etc/hostname"))
    ),
    Bad(
      "key is a number",
      "no storage",
      tensor: Pickle.tensor(storage: Pickle.storage(key: Pickle.integer(0)))
    ),
    Bad("other tag", "no storage", tensor: Pickle.tensor(storage: Pickle.storage(tag: "module"))),
    Bad(
      "short identifier",
      "no storage",
      pickle: Pickle.tuple(Pickle.text("storage")) + [0x51]
    ),
    Bad(
      "no arguments",
      "describes a tensor in an unknown way",
      pickle: Pickle.global("torch._utils", "_rebuild_tensor_v2") + Pickle.emptyTuple + [0x52]
    ),
    Bad(
      "parameter of nothing",
      "describes a parameter in an unknown way",
      pickle: Pickle.global("torch._utils", "_rebuild_parameter") + Pickle.emptyTuple + [0x52]
    ),
    Bad(
      "not a number",
      "tensor 'w' holds NaN",
      ZipBuilder([
        ("m/data.pkl", Pickle.file(Pickle.dictionary(("w", Pickle.tensor())))),
        ("m/data/0", bytes(of: [1, 2, .nan, 4])),
      ]).bytes
    ),
    Bad(
      "big-endian",
      "byte order is 'big'",
      ZipBuilder([("m/data.pkl", Pickle.file(Pickle.ordered)), ("m/byteorder", Array("big".utf8))])
        .bytes
    ),
  ]

  private static let archives: [Bad] = [
    Bad("truncated", "end record is missing", Array(torchFile([]).dropLast(30))),
    Bad("bytes appended", "end record is missing", zip: { $0.suffix = [0] }),
    Bad(
      "only an end record",
      "0 members",
      zip: {
        $0.members = []; $0.hasZip64 = false
      }
    ),
    Bad("second end record", "0 members") {
      $0.suffix = littleEndian([0x0605_4B50, 0, 0, 0, 0] as [UInt32]) + [0, 0]
    },
    Bad("bytes before", "leaves a hole before it", zip: { $0.prefix = Array("PK".utf8) }),
    Bad("bytes before the directory", "directory is not where") {
      $0.directoryOffset = 10
      $0.hasZip64 = false
    },
    Bad("members claimed", "end records disagree", zip: { $0.count = 3 }),
    Bad("members claimed by ZIP64", "end records disagree", zip: { $0.zip64Count = 1 << 40 }),
    Bad("locator lies", "ZIP64 end record is malformed", zip: { $0.locatorOffset = 1 << 63 }),
    Bad("too many members", "65535 members; 1 to 8192 are read") {
      $0.count = 0xFFFF
      $0.hasZip64 = false
    },
    Bad("bytes after the members", "bytes before its directory") { $0.beforeDirectory = [0] },
    Bad("one member fewer", "bytes left over") {
      $0.count = 1
      $0.hasZip64 = false
    },
    Bad("one member more", "directory is malformed") {
      $0.count = 3
      $0.hasZip64 = false
    },
    Bad("two members of one name", "has two members 'm/data/0'") {
      $0.members.append($0.members[1])
    },
    Bad("two folders", "not in one folder") {
      $0.members.append(ZipBuilder.Member("n/data.pkl", []))
    },
    Bad("no folder", "not in one folder") { zip in
      zip.members = zip.members.map { ZipBuilder.Member("a", $0.data) }
      zip.members.removeLast()
    },
    Bad("absolute names", "not in one folder") { zip in
      zip.members = zip.members.map {
        ZipBuilder.Member("/" + String(decoding: $0.name, as: UTF8.self), $0.data)
      }
    },
    Bad("no data.pkl", "no data.pkl", zip: { $0.members.removeFirst() }),
    Bad("compressed", "is compressed", zip: { $0.members[1].method = 8 }),
    Bad("encrypted", "is encrypted", zip: { $0.members[1].flags |= 1 }),
    Bad("wrong checksum", "its checksum differs", zip: { $0.members[1].checksum ^= 1 }),
    Bad("other sizes", "do not fit together", zip: { $0.members[1].storedSize = 15 }),
    Bad("on another disk", "do not fit together", zip: { $0.members[1].disk = 1 }),
    Bad("sizes elsewhere", "lies outside the file") {
      $0.members[1].size = 0xFFFF_FFFF
      $0.members[1].storedSize = 0xFFFF_FFFF
    },
    Bad("offset past the end", "leaves a hole before it") { $0.members[1].offset = 0x7FFF_FFFF },
    Bad("one member over another", "overlaps another") { $0.members[1].offset = 0 },
    Bad("other local name", "local header that differs") {
      $0.members[1].localName = Array("m/data/1".utf8)
    },
    Bad("other size in the descriptor", "descriptor that differs") {
      $0.members[1].descriptorSize = 15
    },
    Bad("other size in the local header", "local header that differs") {
      $0.members[1].flags = 0
      $0.members[1].descriptorSize = 15
    },
    Bad("neither format", "neither a safetensors file nor", Array(repeating: 0xA5, count: 200)),
  ]

  private static let badFiles = programs + pickles + tensors + archives

  @Test(arguments: badFiles)
  func refuses(_ bad: Bad) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("bad.pth")
    try Data(bad.bytes).write(to: URL(fileURLWithPath: path))
    expectModelError(bad.reason, subject: "'\(path)'") { try WeightStore(path: path) }
  }

  // A sound file, cut anywhere or with any byte changed: refused or read, but never a crash.
  @Test func survivesEveryCutAndEveryChangedByte() throws {
    let sound = torchFile(Pickle.file(Pickle.dictionary(("w", Pickle.tensor()))))
    #expect(try load(sound).weights("w").values == [1, 2, 3, 4])
    for index in sound.indices {
      #expect(throws: EngineError.self) { try load(Array(sound[..<index])) }
      var changed = sound
      changed[index] ^= 1 << (index % 8)
      _ = try? load(changed)
    }
  }
}

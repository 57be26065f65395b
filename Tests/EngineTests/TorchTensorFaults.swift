/// The ways in which the tensors of a file of `torch.save` can be hostile or broken.
extension TorchRefusalTests {
  // Tensors of two elements, the first and the last of the same storage.
  private static func gaps(tensors: Int, storage count: Int) -> [UInt8] {
    let tensor = Pickle.tensor(storage: stored(count), size: [2], stride: [count - 1])
    let items = (0..<tensors).map { Pickle.text("w\($0)") + tensor }
    return Pickle.ordered + Pickle.mark + items.flatMap(\.self) + [0x75]
  }

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
}

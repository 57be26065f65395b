/// What a model file holds and where, whichever of the two formats it has.
///
/// The contents decide, not the name: a file of torch.save is a zip archive, safetensors begins with the
/// length of a header and the header itself.
struct TensorIndex {
  let tensors: [StoredTensor]
  let metadata: [String: String]

  init(_ file: WeightsFile) throws(WeightsFault) {
    let start = try file.bytes(0..<min(file.byteCount, 32))
    guard !start.starts(with: [0x50, 0x4B]) else {
      tensors = try StateDictionary(file).tensors
      metadata = [:]
      return
    }
    try TensorIndex.checkOtherFormats(start)
    let header = try SafetensorsHeader(file)
    tensors = header.tensors
    metadata = header.metadata
  }

  /// Names what people mistake for a model, and the way out.
  private static func checkOtherFormats(_ start: [UInt8]) throws(WeightsFault) {
    guard start.count >= 9, start[8] != UInt8(ascii: "{") else { return }
    // A pickled integer, the magic number of torch before 1.6.
    if start.starts(with: [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20]) {
      throw WeightsFault(
        "it has the format of PyTorch before 1.6; "
          + "torch.save(torch.load(FILE, weights_only=True), FILE) makes it a new one"
      )
    }
    if start[0] == 0x80, (2...5).contains(start[1]) {
      throw WeightsFault(
        "it is a bare pickle, which may hold programs; torch.save makes no such file"
      )
    }
    if start.starts(with: "version https://git-lfs".utf8) {
      throw WeightsFault("it is a pointer to Git LFS, not the model; 'git lfs pull' fetches that")
    }
    if start.starts(with: "<!".utf8) || start.starts(with: "<html".utf8) {
      throw WeightsFault("it is a web page, not a model; the download went wrong")
    }
    guard start.number(UInt64.self, at: 0) <= SafetensorsHeader.byteLimit else {
      throw WeightsFault("it is neither a safetensors file nor one that torch.save wrote")
    }
  }
}

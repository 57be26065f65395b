import Engine

/// One input of libFuzzer: the bytes of a model file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: start, count: count)
  _ = try? WeightStore(staticBytes: bytes, subject: "fuzz")
  return 0
}

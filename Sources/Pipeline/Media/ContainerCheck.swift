/// Looks at the bytes of the input while they are read, for damage that libav does not report.
///
/// Sees each byte once and in the order of the file, wherever the demuxer jumps meanwhile; what it
/// never reads is not looked at.
struct ContainerCheck {
  private enum Format {
    case unknown
    case matroska(MatroskaCheck)
    case transport(TransportCheck)
  }

  private var format = Format.unknown
  private var next: Int64 = 0

  /// The damaged places so far.
  var faultCount: Int {
    switch format {
    case .unknown: 0
    case .matroska(let check): check.faultCount
    case .transport(let check): check.faultCount
    }
  }

  /// Looks at `bytes`, which begin at `offset` in the file.
  mutating func look(at bytes: UnsafeBufferPointer<UInt8>, offset: Int64) {
    guard offset <= next, next < offset + Int64(bytes.count) else { return }
    let new = unsafe UnsafeBufferPointer(rebasing: bytes[Int(next - offset)...])
    next = offset + Int64(bytes.count)
    unsafe look(atNext: new)
  }

  private mutating func look(atNext bytes: UnsafeBufferPointer<UInt8>) {
    switch format {
    case .unknown:
      // 0x1A: how every EBML file begins. Anything may lie before the first packet of MPEG-TS.
      format = unsafe bytes[0] == 0x1A ? .matroska(MatroskaCheck()) : .transport(TransportCheck())
      unsafe look(atNext: bytes)
    case .matroska(var check):
      format = .unknown
      unsafe check.look(at: bytes)
      format = .matroska(check)
    case .transport(var check):
      unsafe check.look(at: bytes)
      format = .transport(check)
    }
  }
}

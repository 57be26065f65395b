/// Notices where bytes are missing from an MPEG transport stream.
///
/// Its packets of 188 bytes begin with the same byte. Where that byte comes too early or too late
/// and then again at the usual distance, something was lost between; libav goes on without a word.
struct TransportCheck {
  /// The places where the distance was wrong.
  private(set) var faultCount = 0

  private static let packetSize = 188
  private static let mark: UInt8 = 0x47
  // Five marks at the right distance are no accident.
  private static let enough = 5
  // What has not begun to be a transport stream by then is none.
  private static let patience = 1 << 20

  private var distance = 0
  private var marks = 0
  private var isLost = false
  private var unmarked = 0

  /// Looks at the next bytes of the file.
  mutating func look(at bytes: UnsafeBufferPointer<UInt8>) {
    var index = distance
    while index < bytes.count, unmarked < TransportCheck.patience {
      unsafe count(bytes[index])
      index += marks > 0 ? TransportCheck.packetSize : 1
    }
    distance = max(index - bytes.count, 0)
  }

  private mutating func count(_ byte: UInt8) {
    if byte == TransportCheck.mark {
      marks += 1
      if marks >= TransportCheck.enough { resume() }
    } else {
      if marks >= TransportCheck.enough { isLost = true }
      marks = 0
      unmarked += 1
    }
  }

  private mutating func resume() {
    if isLost { faultCount += 1 }
    isLost = false
    unmarked = 0
  }
}

internal import Foundation

/// A thousand ports for this process alone, so that two runs of the tests on one machine do not meet.
public enum PortBlock {
  // Below those that the system gives to whoever connects. The lock ends with the process.
  private static let thousands: Int = {
    while true {
      if let free = (20...31).first(where: lock) { return free }
      usleep(100_000)
    }
  }()

  /// The text with ports 24000 to 24999 moved to this process's own.
  public static func moved(_ text: String) -> String {
    text.replacing(#/\b24(\d{3})\b/#) { "\(thousands)\($0.output.1)" }
  }

  private static func lock(_ thousands: Int) -> Bool {
    let file = FileManager.default.temporaryDirectory.path + "/vsr-test-ports-\(thousands)"
    let descriptor = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return false }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
    close(descriptor)
    return false
  }
}

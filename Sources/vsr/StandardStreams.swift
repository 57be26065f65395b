internal import Glibc

/// Standard input, output and error, which whoever starts us may have closed.
enum StandardStreams {
  /// Takes the places of closed ones, so that no file of ours is mistaken for one.
  ///
  /// What stands there can be neither read from nor written to: using it fails as it does when it is closed.
  static func hold() {
    for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
      _ = open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }
}

internal import Glibc

extension UnsafeMutableRawPointer {
  // Of AArch64 with small pages too. What is smaller than two of them gains nothing.
  private static let hugePageByteCount = 2 << 20

  /// Allocates memory for samples on a 64-byte boundary; freed by `deallocate()`.
  ///
  /// Much memory is asked for in huge pages, because a network goes through all of it in every frame:
  /// the processor otherwise looks up a page for every 4 KiB.
  static func allocateSamples(byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= 2 * hugePageByteCount else {
      return .allocate(byteCount: byteCount, alignment: 64)
    }
    let memory = allocate(byteCount: byteCount, alignment: hugePageByteCount)
    // Only advice: a kernel without huge pages refuses, and nothing else changes.
    madvise(memory, byteCount, MADV_HUGEPAGE)
    return memory
  }
}

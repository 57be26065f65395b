/// Where each buffer of a program lies in its one arena.
///
/// A buffer is alive from the step that writes it to the last step that reads it. Buffers whose lives
/// do not meet may share memory; the plan places the largest first, each at the lowest offset that is
/// free during its life.
struct MemoryPlan {
  /// A stretch of memory that is needed for some steps.
  struct Buffer {
    /// The steps during which the contents must stay.
    let life: ClosedRange<Int>

    let byteCount: Int
  }

  /// The offset of each buffer in bytes, a multiple of 64, in the order of the buffers.
  let offsets: [Int]

  /// The size of the arena in bytes.
  let byteCount: Int

  init(_ buffers: [Buffer]) {
    var offsets = [Int](repeating: 0, count: buffers.count)
    var placed: [Int] = []
    for index in buffers.indices.sorted(by: { buffers[$0].byteCount > buffers[$1].byteCount }) {
      let neighbours = placed.filter { buffers[$0].life.overlaps(buffers[index].life) }
      offsets[index] = MemoryPlan.lowestGap(
        for: buffers[index].byteCount,
        among: neighbours.map { offsets[$0]..<(offsets[$0] + buffers[$0].byteCount) },
      )
      placed.append(index)
    }
    self.offsets = offsets
    byteCount = zip(offsets, buffers).map { $0 + $1.byteCount }.max() ?? 0
  }

  // 64: a cache line and an AVX-512 register.
  private static func lowestGap(for byteCount: Int, among taken: [Range<Int>]) -> Int {
    var offset = 0
    for range in taken.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if offset + byteCount <= range.lowerBound { break }
      offset = max(offset, (range.upperBound + 63) / 64 * 64)
    }
    return offset
  }
}

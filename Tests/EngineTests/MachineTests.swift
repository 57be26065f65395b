import EngineC
import Foundation
import TestSupport
import Testing

/// What control groups, such as containers', leave of the machine.
@Suite struct MachineTests {
  @Test(arguments: [
    ("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", nil),
    ("", nil), ("0 100000\n", nil), ("100000 0\n", nil),
  ])
  func countsProcessorsByTheirQuota(text: String, count: Int?) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("cpu.max")
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    #expect(enginec_processors_allowed_in(path) == count ?? Int(bitPattern: UInt.max))
    #expect(enginec_processors_allowed_in(folder.path("none")) == Int(bitPattern: UInt.max))
  }
}

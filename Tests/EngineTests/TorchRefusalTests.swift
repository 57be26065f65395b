import Foundation
import TestSupport
import Testing

@testable import Engine

/// Hostile and broken files of `torch.save`: each is refused with one reason, and nothing is run.
@Suite struct TorchRefusalTests {
  private static let badFiles = programs + pickles + tensors + archives

  @Test(arguments: badFiles)
  func refuses(_ bad: BadFile) throws {
    try bad.expectRefusal(named: "bad.pth")
  }

  // A sound file, cut anywhere or with any byte changed: refused or read, but never a crash.
  @Test func survivesEveryCutAndEveryChangedByte() throws {
    let sound = torchFile(Pickle.file(Pickle.dictionary(("w", Pickle.tensor()))))
    #expect(try load(sound).weights("w").values == [1, 2, 3, 4])
    for index in sound.indices {
      #expect(throws: EngineError.self) { try load(Array(sound[..<index])) }
      var changed = sound
      changed[index] ^= 1 << (index % 8)
      _ = try? load(changed)
    }
  }
}

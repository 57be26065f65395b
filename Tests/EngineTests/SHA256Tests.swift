import Testing

@testable import Engine

/// The examples of FIPS 180-4 and of NIST's CAVP, and every length around a block.
@Suite struct SHA256Tests {
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func givesThePublishedDigest(text: String, digest: String) {
    var hash = SHA256()
    hash.update(Array(text.utf8))
    #expect(hash.hexadecimal == digest)
  }

  @Test func digestsAMillionLetters() {
    var hash = SHA256()
    for _ in 0..<1000 { hash.update(Array(repeating: UInt8(ascii: "a"), count: 1000)) }
    let digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(hash.hexadecimal == digest)
  }

  @Test func doesNotDependOnThePieces() {
    let bytes = (0..<200).map { UInt8($0) }
    for count in bytes.indices {
      var whole = SHA256()
      whole.update(Array(bytes[..<count]))
      var pieces = SHA256()
      for byte in bytes[..<count] { pieces.update([byte]) }
      #expect(whole.hexadecimal == pieces.hexadecimal)
    }
  }
}

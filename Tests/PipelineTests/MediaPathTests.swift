import Foundation
import TestSupport
import Testing

@testable import Pipeline

@Suite struct MediaPathTests {
  @Test func keepsBytesThatAreNoText() {
    let latin1: [CChar] = [0x61, CChar(bitPattern: 0xE9), 0x62]
    #expect(MediaPath(bytes: latin1).bytes == latin1 + [0])
    #expect(MediaPath(bytes: latin1).quoted == "'a\u{FFFD}b'")
  }

  @Test func tellsComposedAndDecomposedNamesApart() {
    #expect(MediaPath("\u{E9}") != MediaPath("e\u{301}"))
  }

  @Test func escapesControlCharacters() {
    #expect(MediaPath("a\u{1B}[31m").quoted == "'a\\u{1B}[31m'")
  }

  @Test(arguments: [
    ("a.mp4", "mp4"), ("/x.y/a", ""), ("a.tar.GZ", "gz"), (".hidden", ""), ("a.", ""),
  ])
  func findsTheExtension(path: String, expected: String) {
    #expect(MediaPath(path).pathExtension == expected)
  }

  @Test(arguments: [("a.mp4", "."), ("/a.mp4", "/"), ("/x/y/a.mp4", "/x/y"), ("x/a", "x")])
  func findsTheFolder(path: String, expected: String) {
    #expect(MediaPath(path).folder == MediaPath(expected))
  }

  @Test func readsPatternsOfPictureNames() throws {
    let names = try #require(PictureNames(MediaPath("x/frame%04d.png")))
    #expect(names.path(7) == MediaPath("x/frame0007.png"))
    #expect(names.path(12345) == MediaPath("x/frame12345.png"))
    #expect(PictureNames(MediaPath("frame%d.jpg"))?.path(3) == MediaPath("frame3.jpg"))
    for path in ["frame.png", "frame%04d.mp4", "frame%s.png", "100%.png"] {
      #expect(PictureNames(MediaPath(path)) == nil, "\(path)")
    }
  }

  @Test func patternsKeepBytesThatAreNoText() throws {
    func path(_ name: String) -> MediaPath {
      MediaPath(bytes: [0x63, CChar(bitPattern: 0xE9)] + name.utf8CString)
    }
    let names = try #require(PictureNames(path("/p%02d.png")))
    #expect(names.path(7) == path("/p07.png"))
  }

  @Test func findsTheNearestWord() {
    #expect("preste".nearest(in: ["preset", "profile"]) == "preset")
    #expect("zzzzzz".nearest(in: ["preset", "profile"]) == nil)
  }
}

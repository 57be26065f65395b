import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Image files, alone or in a row: how they are read and written, what they replace and what they leave.
@Suite struct PictureFileTests {
  // Spaces of an address, and a file whose own name is like a pattern.
  @Test(arguments: ["hot%20dog.png", "100%done.png"])
  func aFileIsNoPattern(name: String) throws {
    let folder = try TemporaryFolder()
    let still = ["-f", "lavfi", "-i", "testsrc=size=16x16", "-frames:v", "1"]
    let made = try made(folder, still, "made.png")
    try FileManager.default.moveItem(atPath: made, toPath: folder.path(name))
    _ = try Transcode(options(folder.path(name), folder.path("new%20one.png")))
      .run(upscale: nearest(2))
    #expect(Set(folder.names) == [name, "new%20one.png"])
  }

  @Test func refusesASecondPictureInOneFileAndLeavesTheOld() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    let old = folder.url.appendingPathComponent("one.png")
    for exists in [false, true] {
      if exists { try Data("precious".utf8).write(to: old) }
      var options = options(input, old.path)
      options.output.overwrite = true
      let transcode = try Transcode(options)
      #expect {
        try transcode.run(upscale: nearest(2))
      } throws: {
        ($0 as? MediaError)?.kind == .usage
      }
      #expect(folder.names == (exists ? ["in.mkv", "one.png"] : ["in.mkv"]))
    }
    #expect(try Data(contentsOf: old) == Data("precious".utf8))
  }

  @Test(arguments: ["p%03d.png", "./p%d.png", "link%d.png", "q%03d.png"])
  func neverReplacesAPictureOfTheInput(output: String) throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    var toPictures = options(input, folder.path("p%03d.png"), times: 1)
    toPictures.part.frames = 0..<3
    _ = try Transcode(toPictures).run(upscale: nearest(1))
    let files = FileManager.default
    try files.createSymbolicLink(atPath: folder.path("link2.png"), withDestinationPath: "p002.png")
    try files.linkItem(atPath: folder.path("p003.png"), toPath: folder.path("p3.png"))
    try files.createSymbolicLink(atPath: folder.path("q003.png"), withDestinationPath: "p003.png")
    var options = options(folder.path("p%03d.png"), folder.path(output))
    options.output.overwrite = true
    #expect {
      _ = try Transcode(options)
    } throws: {
      "\($0)".hasSuffix(": it is the input")
    }
  }

  /// Pictures with these numbers, all the same.
  private func row(_ numbers: [Int], in folder: TemporaryFolder) throws {
    var toPicture = options(try madeClip(folder), folder.path("one.png"), times: 1)
    toPicture.part.frames = 0..<1
    _ = try Transcode(toPicture).run(upscale: nearest(1))
    for number in numbers {
      let name = folder.path("p\(number).png")
      try FileManager.default.copyItem(atPath: folder.path("one.png"), toPath: name)
    }
  }

  @Test func saysWhichPicturesLieBehindAGap() throws {
    let folder = try TemporaryFolder()
    try row([8, 9, 10, 12, 13, .max], in: folder)
    let transcode = try Transcode(options(folder.path("p%d.png"), folder.path("out.mkv")))
    let warnings = transcode.plan.notices.filter { $0.level == .warning }.map(\.text)
    #expect(warnings.count == 1)
    #expect(warnings[0].hasSuffix("p11.png' is missing; the pictures after it are left out: 2"))
    #expect(try transcode.run(upscale: nearest(1)).progress.frames == 3)
  }

  @Test(arguments: ["png", "jpg", "bmp", "tiff"])
  func aBrokenPictureCostsNoOther(format: String) throws {
    let folder = try TemporaryFolder()
    let clip = try madeClip(folder)
    let row = try made(folder, ["-i", clip, "-frames:v", "5"], "p%d.\(format)")
    let whole = try Transcode(options(row, folder.path("whole.mkv"))).run(upscale: nearest(1))
    #expect(whole.progress.frames == 5 && !whole.isDamaged)
    try FileHandle(forWritingTo: folder.url.appendingPathComponent("p3.\(format)"))
      .truncate(atOffset: 100)
    let rest = try Transcode(options(row, folder.path("rest.mkv"))).run(upscale: nearest(1))
    #expect(rest.progress.frames == 4 && rest.isDamaged)
  }

  @Test func anEmptyPictureIsDamage() throws {
    let folder = try TemporaryFolder()
    try row([1, 2, 3], in: folder)
    try Data().write(to: URL(fileURLWithPath: folder.path("p2.png")))
    let transcode = try Transcode(options(folder.path("p%d.png"), folder.path("out.mkv")))
    let report = try transcode.run(upscale: nearest(1))
    #expect(report.damagedPackets == 1 && report.progress.frames == 2)
  }

  @Test func aPatternLiesInTheNameOnly() throws {
    let folder = try TemporaryFolder()
    let inner = folder.path("50%")
    try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
    var options = options(try madeClip(folder), inner + "/p%d.png")
    options.part.frames = 0..<2
    _ = try Transcode(options).run(upscale: nearest(2))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: inner).sorted() == ["p1.png", "p2.png"]
    )
  }

  static let glass = "format=rgba,colorchannelmixer=aa=0.5"

  // What has an alpha that is opaque everywhere loses nothing.
  @Test(arguments: [
    ("format=gray", "format=rgb24", "colours"), ("format=rgb24", "format=rgba", nil),
    ("format=rgb24", glass, "transparent"),
  ]) func saysWhatLaterPicturesLose(first: String, second: String, word: String?) throws {
    let folder = try TemporaryFolder()
    let clip = try madeClip(folder)
    for (number, filter) in [first, second].enumerated() {
      _ = try made(folder, ["-i", clip, "-frames:v", "1", "-vf", filter], "p\(number).png")
    }
    let transcode = try Transcode(options(folder.path("p%d.png"), folder.path("out%d.png")))
    let notices = try transcode.run(upscale: nearest(2)).notices
    #expect(notices.map { $0.text.contains(word ?? "") } == (word == nil ? [] : [true]))
  }

  // Films of which a later picture is transparent, in a format that could have said so at once.
  @Test(arguments: [
    ("0", nil), ("eq(n,0)", "dropped"), ("gt(n,2)", "later pictures are transparent"),
  ])
  func saysThatTransparencyIsLostWhereThereIsSome(when: String, word: String?) throws {
    let folder = try TemporaryFolder()
    let filter = "\(Self.glass):enable='\(when)'"
    let input = try made(
      folder,
      ["-i", try madeClip(folder), "-an", "-frames:v", "5", "-vf", filter, "-f", "apng"],
      "in.png"
    )
    let transcode = try Transcode(options(input, folder.path("out.mkv")))
    let outcome = try transcode.run(upscale: nearest(2))
    let warnings = (transcode.plan.notices + outcome.notices).filter { $0.level == .warning }
    #expect(warnings.map { $0.text.contains(word ?? "") } == (word == nil ? [] : [true]))
  }

  @Test func saysThatSizesChange() throws {
    let folder = try TemporaryFolder()
    let clip = try madeClip(folder)
    _ = try made(folder, ["-i", clip, "-frames:v", "1"], "p1.png")
    _ = try made(folder, ["-i", clip, "-frames:v", "1", "-vf", "scale=48:64,setsar=1"], "p2.png")
    let transcode = try Transcode(options(folder.path("p%d.png"), folder.path("out%d.png")))
    #expect(try transcode.run(upscale: nearest(2)).changes == [.size])
  }

  // EXIF data with one entry, the maker: tag 0x10F, text.
  @Test func saysWhichTagsOfAPhotoAreLost() throws {
    let folder = try TemporaryFolder()
    let clip = try madeClip(folder)
    let photo = try made(folder, ["-i", clip, "-frames:v", "1"], "in.jpg")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: photo))
    let entry: [UInt8] = [0, 1, 1, 0x0F, 0, 2, 0, 0, 0, 4] + Array("abc\0".utf8) + [0, 0, 0, 0]
    let header: [UInt8] = [0xFF, 0xE1, 0, 34] + Array("Exif\0\0MM\0*".utf8) + [0, 0, 0, 8]
    bytes.insert(contentsOf: header + entry, at: 2)
    try bytes.write(to: URL(fileURLWithPath: photo))
    let notices = try Transcode(options(photo, folder.path("out.jpg"))).plan.notices
    #expect(notices.contains { $0.level == .warning && $0.text.hasSuffix("left out: Make") })
  }

  // A second page behind that of ffmpeg, which is a thumbnail where its lowest bit is set.
  @Test(arguments: [0: true, 1: false]) func saysThatFurtherPagesAreNotRead(kind: Int, isPage: Bool)
    throws
  {
    let folder = try TemporaryFolder()
    let input = try made(folder, ["-i", try madeClip(folder), "-an", "-frames:v", "1"], "in.tiff")
    var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: input)))
    func number(_ place: Int, _ count: Int) -> Int {
      bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    let first = number(4, 4)
    let link = first + 2 + 12 * number(first, 2)
    try #require(number(link, 4) == 0)
    let end = bytes.count
    for index in 0..<4 { bytes[link + index] = UInt8(truncatingIfNeeded: end >> (8 * index)) }
    bytes += [1, 0, 254, 0, 4, 0, 1, 0, 0, 0, UInt8(kind), 0, 0, 0, 0, 0, 0, 0]
    try Data(bytes).write(to: URL(fileURLWithPath: input))
    let notices = try Transcode(options(input, folder.path("out.png"))).plan.notices
    #expect(notices.contains { $0.text.contains("several pages") } == isPage)
  }

  // One directory after the other without entries, in the byte order of Motorola.
  @Test(arguments: [1: false, 2: true]) func countsPagesInBothByteOrders(
    count: Int,
    isSeveral: Bool
  )
    throws
  {
    let folder = try TemporaryFolder()
    var bytes: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8]
    for page in 1...count { bytes += [0, 0, 0, 0, 0, page == count ? 0 : UInt8(8 + 6 * page)] }
    try Data(bytes).write(to: folder.url.appendingPathComponent("a.tif"))
    let file = try InputFile([MediaPath(folder.path("a.tif"))], cancellation: Cancellation())
    #expect(TIFFPages.areSeveral(in: file) == isSeveral)
  }

  // PNG has its primaries as numbers, which libav takes for a mastering display.
  @Test func primariesOfAPNGAreNoLight() throws {
    let folder = try TemporaryFolder()
    let tags = ["-vf", "setparams=color_primaries=bt709:color_trc=bt709:range=pc"]
    let input = try made(
      folder,
      ["-i", try madeClip(folder), "-an", "-frames:v", "1"] + tags + ["-pix_fmt", "rgb24"],
      "in.png"
    )
    let plan = try Transcode(options(input, folder.path("out.jpg"))).plan
    #expect(plan.notices.allSatisfy { $0.level != .warning })
  }

  // How many pictures there will be is not known beforehand.
  @Test func neverReplacesTheInputByALaterPicture() throws {
    let folder = try TemporaryFolder()
    let clip = try madeClip(folder, "in.apng", extra: ["-an", "-c:v", "apng", "-f", "apng"])
    let input = folder.path("p003.png")
    try FileManager.default.moveItem(atPath: clip, toPath: input)
    let before = try Data(contentsOf: URL(fileURLWithPath: input))
    var options = options(input, folder.path("p%03d.png"))
    options.output.overwrite = true
    #expect {
      try Transcode(options).run(upscale: nearest(2))
    } throws: {
      "\($0)".hasSuffix(": it is the input")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: input)) == before)
  }

  @Test func refusesASequenceOfWhichAPictureExists() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    try Data("precious".utf8).write(to: folder.url.appendingPathComponent("p020.png"))
    #expect {
      _ = try Transcode(options(input, folder.path("p%03d.png")))
    } throws: {
      "\($0)".hasSuffix("p020.png': it exists already; -y replaces it")
    }
    var first = options(input, folder.path("p%03d.png"))
    first.part.frames = 0..<19
    #expect(try Transcode(first).run(upscale: nearest(2)).progress.frames == 19)
  }

  @Test func writesAPictureForAPicture() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    for name in ["one.png", "one.jpg", "one.webp", "one.bmp", "one.tiff"] {
      var options = options(input, folder.path(name))
      options.part.frames = 3..<4
      _ = try Transcode(options).run(upscale: nearest(2))
      let info = try MediaInfo(reading: InputOptions(MediaPath(folder.path(name))))
      #expect(info.streams.first?.picture?.width == 128, "\(name)")
      #expect(info.streams.first?.picture?.height == 96, "\(name)")
    }
  }

  @Test(arguments: ["yes.tga", "no.tga"])
  func knowsTargaByItsNameAndItsContent(name: String) throws {
    let folder = try TemporaryFolder()
    let codec = name == "yes.tga" ? "targa" : "png"
    let made = try Subprocess(
      "ffmpeg",
      [
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=96x64", "-frames:v", "1", "-f", "image2",
        "-c:v", codec, folder.path(name),
      ]
    )
    try #require(made.exitCode == 0)
    let transcode = try Transcode(options(folder.path(name), folder.path("out.png")))
    #expect(try transcode.run(upscale: nearest(2)).progress.frames == 1)
    #expect(transcode.plan.width == 192 && transcode.plan.height == 128)
  }

  /// As phones write them: a map of the photo's light, a JPEG itself, follows it.
  @Test func aPhotoEndsWhereItEnds() throws {
    let folder = try TemporaryFolder()
    let photos = try ["testsrc2=size=96x64", "color=red:size=48x32"].map { source in
      let path = folder.path("\(source.prefix(4)).jpg")
      let arguments = ["-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "1", path]
      try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
      return try Data(contentsOf: URL(filePath: path))
    }
    try (photos[0] + photos[1]).write(to: URL(filePath: folder.path("both.JPG")))
    for name in ["test.jpg", "both.JPG"] {
      let report = try Transcode(options(folder.path(name), folder.path("\(name).png")))
        .run(upscale: nearest(2))
      #expect(report.progress.frames == 1 && !report.isDamaged && report.repairedTimes == 0)
    }
    let results = try ["test.jpg.png", "both.JPG.png"]
      .map { try Data(contentsOf: URL(filePath: folder.path($0))) }
    #expect(results[0] == results[1])
  }

  @Test func readsAndWritesSequencesOfPictures() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    var toPictures = options(input, folder.path("p%03d.png"), times: 1)
    toPictures.part.frames = 0..<5
    _ = try Transcode(toPictures).run(upscale: nearest(1))
    #expect(folder.names == ["in.mkv"] + (1...5).map { "p00\($0).png" })

    var toVideo = options(folder.path("p%03d.png"), folder.path("out.mkv"))
    toVideo.input.frameRate = Rational(10, 1)
    toVideo.output.encoder.codec = "ffv1"
    let report = try Transcode(toVideo).run(upscale: nearest(2))
    #expect(report.progress.frames == 5)
    #expect(try frameTimes(folder.path("out.mkv")) == [0, 0.1, 0.2, 0.3, 0.4])
  }

  // Nothing in a TIFF file says how long it is; the small ones are shorter than what is looked at first.
  @Test(arguments: ["rgb24", "rgb48le"], ["64x48", "16x16"])
  func readsSequencesOfPicturesWithoutALength(format: String, size: String) throws {
    let folder = try TemporaryFolder()
    let source = ["-f", "lavfi", "-i", "testsrc2=size=\(size)", "-frames:v", "5"]
    let arguments = ["-v", "error"] + source + ["-pix_fmt", format, folder.path("p%03d.tiff")]
    try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    let output = folder.path("out.mkv")
    let report = try Transcode(options(folder.path("p%03d.tiff"), output)).run(upscale: nearest(2))
    #expect(report.progress.frames == 5 && !report.isDamaged)
  }

  @Test func refusesAnEncoderThatThePictureFileDoesNotHave() throws {
    let folder = try TemporaryFolder()
    var options = options(try madeClip(folder), folder.path("out.png"))
    options.output.encoder.codec = "libx264"
    #expect {
      _ = try Transcode(options)
    } throws: {
      "\($0)" == "cannot use codec 'libx264': a .png file is encoded with png"
    }
  }
}

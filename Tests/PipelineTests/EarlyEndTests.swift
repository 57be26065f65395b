import Dispatch
import Engine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// What a run leaves that ends before its input does.
@Suite struct EarlyEndTests {
  @Test func endsAndLeavesNothingWhenCancelled() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    let transcode = try Transcode(options(input, folder.path("out.mkv")))
    // An engine that finishes nothing before the end of the run.
    let given = Mutex<[PendingImage]>([])
    DispatchQueue(label: "cancel").asyncAfter(deadline: .now() + 0.2) {
      transcode.cancel(signal: 2)
    }
    let clock = ContinuousClock()
    let start = clock.now
    #expect {
      try transcode.run { _ throws(EngineError) in
        let picture = PendingImage()
        given.withLock { $0.append(picture) }
        return picture
      }
    } throws: {
      ($0 as? MediaError)?.kind == .cancelled(signal: 2)
    }
    #expect(clock.now - start < .seconds(2))
    #expect(folder.names == ["in.mkv"])
    let late = EngineError.backend(operation: "test", reason: "late")
    for picture in given.withLock({ $0 }) { picture.complete(.failure(late)) }
  }

  // As a recording whose engine is slow when somebody interrupts it.
  @Test func completesTheFileWithWhatIsReadyWhenHastened() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    var options = options(input, folder.path("out.mkv"))
    options.repeatTolerance = nil
    let transcode = try Transcode(options)
    let given = Mutex(0)
    let first = PendingImage()
    DispatchQueue(label: "hasten").async {
      // The encoder waits for the first, the second waits in the queue of one, the third before it.
      while given.withLock({ $0 }) < 3 { usleep(10_000) }
      transcode.hasten(signal: 2)
      first.complete(.success(Image(width: 128, height: 96)))
    }
    let report = try transcode.run(framesInFlight: 3) { image throws(EngineError) in
      given.withLock { $0 += 1 }
      return given.withLock { $0 } == 1 ? first : try nearest(2)(image)
    }
    #expect(report.progress.frames == 1)
    #expect(try frameTimes(folder.path("out.mkv")).count == 1)
  }

  @Test func passesOnTheErrorOfTheEngineAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let input = try madeClip(folder)
    let transcode = try Transcode(options(input, folder.path("out.mkv")))
    let failure = EngineError.backend(operation: "convolution", reason: "test")
    #expect {
      try transcode.run { _ throws(EngineError) in throw failure }
    } throws: {
      ($0 as? MediaError)?.kind == .engine(failure)
    }
    #expect(folder.names == ["in.mkv"])
  }

  // The header has left before the first picture is enlarged.
  @Test func saysThatWhatWasSentIsNotComplete() throws {
    let folder = try TemporaryFolder()
    let listener = try SilentListener()
    var options = options(try madeClip(folder), listener.url)
    options.output.network = try NetworkAddress(MediaPath(listener.url))
    options.output.format = "matroska"
    let transcode = try Transcode(options)
    #expect {
      try transcode.run { image throws(EngineError) in
        transcode.cancel(signal: 2)
        return try nearest(2)(image)
      }
    } throws: {
      $0 as? MediaError == .cancelled(signal: 2, remains: "the output is not complete")
    }
  }

  // The first picture of 110 KiB is more than a pipe takes.
  @Test func saysThatAPictureIsNotComplete() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    let reader = open(pipe, O_RDWR)
    defer { close(reader) }
    var options = options(try madeClip(folder), pipe, times: 5)
    options.output.format = "yuv4mpegpipe"
    let transcode = try Transcode(options)
    DispatchQueue(label: "cancel").asyncAfter(deadline: .now() + 6) {
      transcode.cancel(signal: 2)
    }
    #expect {
      try transcode.run(upscale: nearest(5))
    } throws: {
      $0 as? MediaError == .cancelled(signal: 2, remains: "the output is not complete")
    }
  }

  // Nothing but the end of a transport stream tells where its last picture ends.
  @Test func anInterruptLeavesNoPictureInASilentInput() throws {
    let folder = try TemporaryFolder()
    let clip = try Data(contentsOf: URL(filePath: madeClip(folder, "in.ts")))
    let pipe = folder.path("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    let descriptor = open(pipe, O_RDWR)
    defer { close(descriptor) }
    let writer = FileHandle(fileDescriptor: descriptor)
    DispatchQueue(label: "write").async { writer.write(clip) }
    let cancellation = Cancellation()
    DispatchQueue(label: "interrupt").asyncAfter(deadline: .now() + 8) {
      cancellation.endInput(signal: 2)
    }
    var input = InputOptions(MediaPath(pipe))
    input.isLive = true
    var demuxer = try Demuxer(input, cancellation: cancellation)
    var count = 0
    while let packet = try demuxer.read() { count += packet.streamIndex == 0 ? 1 : 0 }
    #expect(count == 50 && demuxer.damageCount == 0)
  }

  @Test func anInterruptCutsShortWhatIsComing() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    let writer = open(pipe, O_RDWR)
    defer { close(writer) }
    FileHandle(fileDescriptor: writer).write(Data("media".utf8))
    let cancellation = Cancellation()
    let file = try InputFile([MediaPath(pipe)], cancellation: cancellation)
    var bytes = [UInt8](repeating: 0, count: 8)
    #expect(file.read(&bytes, 3) == 3 && !file.isCutShort)
    cancellation.endInput(signal: 2)
    #expect(file.read(&bytes, 3) < 0 && file.isCutShort)
  }

  @Test func endsAReadThatWaitsForAPipe() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path("pipe")
    try #require(mkfifo(pipe, 0o600) == 0)
    // Keeps the pipe open and never writes.
    let writer = open(pipe, O_RDWR)
    defer { close(writer) }
    let cancellation = Cancellation()
    DispatchQueue(label: "cancel").asyncAfter(deadline: .now() + 0.2) {
      cancellation.request(signal: 15)
    }
    #expect {
      _ = try Transcode(options(pipe, folder.path("out.mkv")), cancellation: cancellation)
    } throws: {
      ($0 as? MediaError)?.kind == .cancelled(signal: 15)
    }
  }
}

/// A port of this machine where connections are taken and nothing is read.
private final class SilentListener {
  private let descriptor: Int32
  let url: String

  init() throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    // Without a name it gets a port that is free.
    try #require(listen(descriptor, 1) == 0)
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutableBytes(of: &address) { bytes in
      getsockname(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
    }
    try #require(code == 0)
    self.descriptor = descriptor
    url = "tcp://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
  }

  deinit { close(descriptor) }
}

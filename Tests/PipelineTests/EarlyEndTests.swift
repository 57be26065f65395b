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

import Foundation
import TestSupport
import Testing

/// The scripts for usual set-ups, between an `ffmpeg` that sends and one that receives.
@Suite(.serialized) struct LiveSampleTests {
  /// Lines for bash: `$S` is the folder of the scripts, `c.mkv` a clip of 60 frames with sound; they leave `o`.
  struct SetUp: CustomTestStringConvertible, Sendable {
    let name: String
    let line: String
    var fewest = 60
    var testDescription: String { name }
  }

  static let setUps = [
    SetUp(
      name: "play",
      line: "PLAYER='ffmpeg -v error -i - -c copy -f matroska o' $S/play c.mkv -q"
    ),
    SetUp(
      name: "restream",
      line: """
        ffmpeg -v error -i tcp://127.0.0.1:47101?listen -c copy -f matroska o & sleep 1
        ffmpeg -v error -re -i c.mkv -c copy -f mpegts tcp://127.0.0.1:47102?listen & sleep 1
        $S/restream tcp://127.0.0.1:47102 tcp://127.0.0.1:47101 -q --reconnect 0
        wait
        """
    ),
    SetUp(
      name: "receive",
      line: """
        (sleep 2; ffmpeg -v error -re -i c.mkv -c copy -f flv rtmp://127.0.0.1:47103/live/show) &
        PLAYER='ffmpeg -v error -i - -c copy -f matroska o' $S/receive 47103 -q
        """
    ),
    // Pictures that come too fast for the machine are resized or dropped.
    SetUp(
      name: "camera",
      line: """
        ffmpeg -v error -i tcp://127.0.0.1:47104?listen -c copy -f matroska o & sleep 1
        $S/camera tcp://127.0.0.1:47104 testsrc2=size=64x48:rate=25:duration=2.4,realtime lavfi
        wait
        """
    ),
    SetUp(
      name: "game",
      line: """
        ffmpeg -v error -listen 1 -i rtmp://127.0.0.1:47105/live/key -c copy -f matroska o & sleep 1
        $S/game rtmp://127.0.0.1:47105/live/key testsrc2=size=64x48:rate=25:duration=2.4,realtime lavfi
        wait
        """,
      fewest: 1
    ),
  ]

  @Test(arguments: setUps) func works(setUp: SetUp) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 60)
    let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
        "Samples/live"
      )
    let run = try Program(
      ["-c", "export VSR=\"$0\" S=\"$1\"; \(setUp.line)", Program.binary.path, scripts.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
    let found = try Subprocess(
      "ffprobe",
      [
        "-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries",
        "stream=nb_read_frames,width,height", "-of", "csv=p=0", folder.path("o"),
      ]
    )
    let fields = found.text.split { ",\n".contains($0) }.compactMap { Int($0) }
    try #require(fields.count >= 3, "\(run.errors)")
    #expect(fields[0] == 256 && fields[1] == 192)
    #expect((setUp.fewest...60).contains(fields[2]), "\(fields[2]) frames, \(run.errors)")
  }
}

import Foundation
import TestSupport
import Testing

/// The scripts for usual set-ups, between an `ffmpeg` that sends and one that receives.
@Suite(.serialized) struct LiveSampleTests {
  /// Lines for bash that leave `o`.
  ///
  /// `$S` is the folder of the scripts, `$T` that of what waits for a server, `c.mkv` a clip of 60 frames with sound.
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
        ffmpeg -v error -i tcp://127.0.0.1:24101?listen -c copy -f matroska o & $T/wait-for 24101
        ffmpeg -v error -re -i c.mkv -c copy -f mpegts tcp://127.0.0.1:24102?listen & $T/wait-for 24102
        $S/restream tcp://127.0.0.1:24102 tcp://127.0.0.1:24101 -q --reconnect 0
        wait
        """
    ),
    SetUp(
      name: "receive",
      line: """
        ($T/wait-for 24103; ffmpeg -v error -re -i c.mkv -c copy -f flv rtmp://127.0.0.1:24103/live/show) &
        PLAYER='ffmpeg -v error -i - -c copy -f matroska o' $S/receive 24103 -q
        """
    ),
    // Pictures that come too fast for the machine are resized or dropped.
    SetUp(
      name: "camera",
      line: """
        ffmpeg -v error -i tcp://127.0.0.1:24104?listen -c copy -f matroska o & $T/wait-for 24104
        $S/camera tcp://127.0.0.1:24104 testsrc2=size=64x48:rate=25:duration=2.4,realtime lavfi
        wait
        """
    ),
    SetUp(
      name: "game",
      line: """
        ffmpeg -v error -listen 1 -i rtmp://127.0.0.1:24105/live/key -c copy -f matroska o & $T/wait-for 24105
        $S/game rtmp://127.0.0.1:24105/live/key testsrc2=size=64x48:rate=25:duration=2.4,realtime lavfi
        wait
        """,
      fewest: 1
    ),
  ]

  @Test(arguments: setUps) func works(setUp: SetUp) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 60)
    let run = try Program(
      [
        "-c",
        "export VSR=\"$0\"; S=\"$1/Samples/live\" T=\"$1/Tests/Network\"; \(PortBlock.moved(setUp.line))",
        Program.binary.path, repositoryRoot,
      ],
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

import Foundation
import TestSupport
import Testing

/// What `vsr stream` opens in the network, on loopback.
@Suite(.serialized) struct NetworkTests {
  /// Lines for bash: `$0` is the program, `c.mkv` a clip of 50 frames with sound; they leave `o`.
  static let lines = [
    "(sleep 2; ffmpeg -v error -re -i c.mkv -c copy -f mpegts http://127.0.0.1:47201/x) &"
      + " \"$0\" stream -q --listen -i http://127.0.0.1:47201/x >o",
    "(sleep 2; ffmpeg -v error -re -i c.mkv -c copy -f rtsp rtsp://127.0.0.1:47202/x) &"
      + " \"$0\" stream -q --listen -i rtsp://127.0.0.1:47202/x >o",
    "ffmpeg -v error -listen 1 -i rtmp://127.0.0.1:47203/live/x -c copy -f matroska o & sleep 1;"
      + " cat c.mkv | \"$0\" stream -q -o rtmp://127.0.0.1:47203/live/x; wait",
    "ffmpeg -v error -i 'udp://127.0.0.1:47204?timeout=9000000' -c copy -f matroska o & sleep 1;"
      + " ffmpeg -v error -re -i c.mkv -c copy -f matroska - | \"$0\" stream -q -o udp://127.0.0.1:47204; wait",
  ]

  @Test(arguments: lines) func arrivesWhole(line: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let run = try shell(line, folder)
    #expect(try frames("o", folder) == 50, "\(run.errors)")
  }

  @Test func aConnectionThatBreaksOffIsMadeAgain() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let send = "ffmpeg -v error -re -i c.mkv -c copy -f mpegts tcp://127.0.0.1:47205?listen"
    let run = try shell(
      "(\(send); sleep 0.3; \(send)) & \"$0\" stream -i tcp://127.0.0.1:47205 --reconnect 4 --json >o",
      folder
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(try frames("o", folder) == 100, "\(run.errors)")
  }

  @Test(arguments: ["file://$PWD/x1.ts", "http://localhost:47206/x1.ts"])
  func aPlaylistReachesNothingElse(other: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 75)
    let script = """
      ffmpeg -v error -i c.mkv -map 0:v -c:v libx264 -g 25 -f hls -hls_time 1 -hls_list_size 0 x.m3u8
      sed "s|^x1.ts|\(other)|" x.m3u8 >y.m3u8
      python3 -m http.server 47206 --bind 127.0.0.1 >/dev/null 2>log & server=$!
      until (exec 3<>/dev/tcp/127.0.0.1/47206) 2>/dev/null; do sleep 0.1; done
      "$0" stream -q -i http://127.0.0.1:47206/y.m3u8 >o
      kill $server; wait $server
      """
    let run = try shell(script, folder)
    let rest = try ["x0.ts", "x2.ts", "x3.ts"].reduce(0) { try $0 + frames($1, folder) }
    #expect(try frames("o", folder) == rest && rest >= 50, "\(run.errors)")
    let log = try String(contentsOfFile: folder.path("log"), encoding: .utf8)
    #expect(log.contains("x0.ts") && !log.contains("x1.ts"))
  }

  @Test func namesTheProtocolsThereAre() throws {
    let folder = try TemporaryFolder()
    let run = try Program(["stream", "-i", "gopher://127.0.0.1/x", "-o", "o.ts"], in: folder)
    #expect(run.exitCode == 64 && run.errors.contains("rtmp, rtmps, rtp, rtsp, srt"))
    let closed = try Program(["stream", "-i", "tcp://127.0.0.1:1", "-o", "o.ts"], in: folder)
    #expect(closed.exitCode == 66 && closed.errors.contains("tcp://127.0.0.1:1"))
  }

  private func frames(_ name: String, _ folder: TemporaryFolder) throws -> Int {
    let run = try Subprocess(
      "ffprobe",
      [
        "-v", "error", "-select_streams", "v:0", "-count_packets", "-show_entries",
        "stream=nb_read_packets", "-of", "csv=p=0", folder.path(name),
      ]
    )
    return run.text.split { ",\n".contains($0) }.first.flatMap { Int($0) } ?? 0
  }

  private func shell(_ line: String, _ folder: TemporaryFolder) throws -> Program {
    try Program(
      ["-c", line, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
  }
}

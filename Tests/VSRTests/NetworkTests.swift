import Foundation
import TestSupport
import Testing

/// What `vsr stream` opens in the network, on loopback.
@Suite(.serialized) struct NetworkTests {
  /// Lines for bash: `$0` is the program, `$T` a folder of servers, `up` waits for one, `c.mkv` a clip of 50 frames with sound;
  /// they leave `o`.
  static let lines = [
    "(sleep 2; ffmpeg -v error -re -i c.mkv -c copy -f mpegts http://127.0.0.1:47201/x) &"
      + " \"$0\" stream -q --listen -i http://127.0.0.1:47201/x >o",
    "(sleep 2; ffmpeg -v error -re -i c.mkv -c copy -f rtsp rtsp://127.0.0.1:47202/x) &"
      + " \"$0\" stream -q --listen -i rtsp://127.0.0.1:47202/x >o",
    "ffmpeg -v error -listen 1 -i rtmp://127.0.0.1:47203/live/x -c copy -f matroska o & sleep 1;"
      + " cat c.mkv | \"$0\" stream -q -o rtmp://127.0.0.1:47203/live/x; wait",
    "ffmpeg -v error -i 'udp://127.0.0.1:47204?timeout=9000000' -c copy -f matroska o & sleep 1;"
      + " ffmpeg -v error -re -i c.mkv -c copy -f matroska - | \"$0\" stream -q -o udp://127.0.0.1:47204; wait",
    "ffmpeg -v error -i srt://127.0.0.1:47207?mode=listener -c copy -f matroska o & sleep 1;"
      + " ffmpeg -v error -re -i c.mkv -c copy -f matroska - | \"$0\" stream -q -o srt://127.0.0.1:47207; wait",
    "(sleep 2; ffmpeg -v error -re -i c.mkv -c copy -f mpegts srt://127.0.0.1:47208?linger=5) &"
      + " \"$0\" stream -q --listen -i srt://127.0.0.1:47208 >o",
    "ffmpeg -v error -listen 1 -i rtmp://127.0.0.1:47209/live/x -c copy -f matroska o &"
      + " $T/tls-relay 47210 47209 & relay=$!; up 47210;"
      + " cat c.mkv | \"$0\" stream -q -o rtmps://127.0.0.1:47210/live/x; wait %1; kill $relay",
    "ffmpeg -v error -i c.mkv -c copy -f mpegts c.ts; python3 -m http.server 47211 --bind 127.0.0.1 2>log &"
      + " server=$!; $T/tls-relay 47212 47211 & relay=$!; up 47211; up 47212;"
      + " \"$0\" stream -q -i https://127.0.0.1:47212/c.ts >o; kill $server $relay",
    "ffmpeg -v error -i c.mkv -c copy -f hls -hls_time 1 -hls_list_size 0 x.m3u8;"
      + " python3 -m http.server 47213 --bind 127.0.0.1 2>log & server=$!; up 47213;"
      + " \"$0\" stream -q -i http://127.0.0.1:47213/x.m3u8 >o; kill $server",
    "ffmpeg -v error -rtsp_flags listen -i rtsp://127.0.0.1:47214/x -c copy -f matroska o & sleep 1;"
      + " cat c.mkv | \"$0\" stream -q -o rtsp://127.0.0.1:47214/x; wait",
  ]

  @Test(arguments: lines) func arrivesWhole(line: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let run = try shell(line, folder)
    #expect(try frames("o", folder) == 50, "\(run.errors)")
  }

  /// Lines for bash, as above, with what is received over RTP: there libav's reader waits for the packets that
  /// complete the last frames.
  static let linesOverRTP = [
    "ffmpeg -v error -i 'rtp://127.0.0.1:47216?timeout=9000000' -c copy -f matroska o & sleep 1;"
      + " ffmpeg -v error -re -i c.mkv -c copy -f matroska - | \"$0\" stream -q -o rtp://127.0.0.1:47216; wait",
    "$T/rtsp-server 47218 c.mkv & up 47218; \"$0\" stream -q -i rtsp://127.0.0.1:47218/x >o",
  ]

  @Test(arguments: linesOverRTP) func arrivesButForTheLastFrames(line: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let run = try shell(line, folder)
    let found = try frames("o", folder)
    #expect((47...50).contains(found), "\(found) frames, \(run.errors)")
  }

  @Test func onlyATransportStreamGoesOverRTP() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 5)
    let run = try Program(
      ["stream", "-i", "c.mkv", "-f", "flv", "-o", "rtp://127.0.0.1:47220"],
      in: folder
    )
    #expect(run.exitCode == 64 && run.errors.contains("only mpegts goes there"), "\(run.errors)")
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

  @Test(arguments: ["-", "c.mkv", "rtmps://127.0.0.1:1/x", "udp://127.0.0.1:1"])
  func doesNotWaitWhereNobodyCanConnect(input: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program(["stream", "--listen", "-i", input, "-o", "o.ts"], in: folder)
    #expect(run.exitCode == 64 && run.errors.contains("--listen needs"), "\(run.errors)")
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

  private static let up =
    "up() { until (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null; do sleep 0.1; done; }"

  private func shell(_ line: String, _ folder: TemporaryFolder) throws -> Program {
    let servers = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Network")
    return try Program(
      ["-c", "T=\"$1\"; \(Self.up); \(line)", Program.binary.path, servers.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
  }
}

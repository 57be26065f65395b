import Foundation
import TestSupport
import Testing

/// What `vsr stream` opens in the network, on loopback.
@Suite(.serialized) struct NetworkTests {
  /// Lines for bash, with the program as `$0`, that leave `o`.
  ///
  /// `$T` is a folder of servers and of what waits for them, `c.mkv` a clip of 50 frames with sound. The ports lie
  /// below those that the system gives to whoever connects.
  static let lines = [
    "($T/wait-for 24201; ffmpeg -v error -re -i c.mkv -c copy -f mpegts http://127.0.0.1:24201/x) &"
      + " \"$0\" stream -q --listen -i http://127.0.0.1:24201/x >o",
    "($T/wait-for 24202; ffmpeg -v error -re -i c.mkv -c copy -f rtsp -rtsp_transport tcp rtsp://127.0.0.1:24202/x) &"
      + " \"$0\" stream -q --listen -i rtsp://127.0.0.1:24202/x >o",
    "ffmpeg -v error -listen 1 -i rtmp://127.0.0.1:24203/live/x -c copy -f matroska o & $T/wait-for 24203;"
      + " cat c.mkv | \"$0\" stream -q -o rtmp://127.0.0.1:24203/live/x; wait",
    "ffmpeg -v error -i 'udp://127.0.0.1:24204?timeout=9000000' -c copy -f matroska o & $T/wait-for 24204;"
      + " ffmpeg -v error -re -i c.mkv -c copy -f matroska - | \"$0\" stream -q --crf 40 -o udp://127.0.0.1:24204; wait",
    "ffmpeg -v error -i srt://127.0.0.1:24207?mode=listener -c copy -f matroska o & $T/wait-for 24207;"
      + " ffmpeg -v error -re -i c.mkv -c copy -f matroska - | \"$0\" stream -q -o srt://127.0.0.1:24207; wait",
    "($T/wait-for 24208; ffmpeg -v error -re -i c.mkv -re -f lavfi -i sine=duration=3 -map 0:v -map 1 -c:v copy"
      + " -f mpegts srt://127.0.0.1:24208?linger=5) &"
      + " \"$0\" stream -q --listen -i srt://127.0.0.1:24208 >o",
    "ffmpeg -v error -listen 1 -i rtmp://127.0.0.1:24209/live/x -c copy -f matroska o &"
      + " $T/tls-relay 24210 24209 & relay=$!; $T/wait-for 24209; $T/wait-for 24210;"
      + " cat c.mkv | \"$0\" stream -q -o rtmps://127.0.0.1:24210/live/x; wait %1; kill $relay",
    "ffmpeg -v error -i c.mkv -c copy -f mpegts c.ts; python3 -m http.server 24211 --bind 127.0.0.1 2>log &"
      + " server=$!; $T/tls-relay 24212 24211 & relay=$!; $T/wait-for 24211; $T/wait-for 24212;"
      + " \"$0\" stream -q -i https://127.0.0.1:24212/c.ts >o; kill $server $relay",
    "ffmpeg -v error -i c.mkv -c copy -f hls -hls_time 1 -hls_list_size 0 x.m3u8;"
      + " python3 -m http.server 24213 --bind 127.0.0.1 2>log & server=$!; $T/wait-for 24213;"
      + " \"$0\" stream -q -i http://127.0.0.1:24213/x.m3u8 >o; kill $server",
    "ffmpeg -v error -rtsp_flags listen -i rtsp://127.0.0.1:24214/x -c copy -f matroska o & $T/wait-for 24214;"
      + " cat c.mkv | \"$0\" stream -q -o rtsp://127.0.0.1:24214/x; wait",
  ]

  /// On a busy machine too: what goes over UDP is small enough for the system's buffers, RTSP goes over TCP, and
  /// where SRT's sender ends at once, losing what is not yet played, there is only sound at the end.
  @Test(arguments: lines) func arrivesWhole(line: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let run = try shell(line, folder)
    #expect(try frames("o", folder) == 50, "\(run.errors)")
  }

  /// Lines for bash, as above, with what is received over RTP: there libav's reader waits for the packets that
  /// complete the last frames.
  static let linesOverRTP = [
    "ffmpeg -v error -i 'rtp://127.0.0.1:24216?timeout=9000000' -c copy -f matroska o & $T/wait-for 24216;"
      + " ffmpeg -v error -re -i c.mkv -c copy -f matroska - | \"$0\" stream -q --crf 40 -o rtp://127.0.0.1:24216; wait",
    "$T/rtsp-server 24218 c.mkv & $T/wait-for 24218; \"$0\" stream -q -i rtsp://127.0.0.1:24218/x >o",
  ]

  @Test(arguments: linesOverRTP) func arrivesButForTheLastFrames(line: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let run = try shell(line, folder)
    let found = try frames("o", folder)
    #expect((47...50).contains(found), "\(found) frames, \(run.errors)")
  }

  // SRT forgets what it still keeps when the connection ends; four at once are slow enough to show it.
  @Test func waitsUntilSRTHasHandedOnTheEnd() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let script = """
      for port in 24221 24222 24223 24224; do
        ffmpeg -v error -i srt://127.0.0.1:$port?mode=listener -c copy -f matroska $port & $T/wait-for $port
      done
      for port in 24221 24222 24223 24224; do
        ffmpeg -v error -re -i c.mkv -c copy -f matroska - | "$0" stream -q -o srt://127.0.0.1:$port &
      done
      wait
      """
    let run = try shell(script, folder)
    let found = try (24221...24224).map { try frames(PortBlock.moved("\($0)"), folder) }
    #expect(found == [50, 50, 50, 50], "\(run.errors)")
  }

  @Test func onlyATransportStreamGoesOverRTP() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 5)
    let run = try Program(
      ["stream", "-i", "c.mkv", "-f", "flv", "-o", "rtp://127.0.0.1:24220"],
      in: folder
    )
    #expect(run.exitCode == 64 && run.errors.contains("only mpegts goes there"), "\(run.errors)")
  }

  @Test func aConnectionThatBreaksOffIsMadeAgain() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let send = "ffmpeg -v error -re -i c.mkv -c copy -f mpegts tcp://127.0.0.1:24205?listen"
    let run = try shell(
      "(\(send); sleep 0.3; \(send)) & $T/wait-for 24205; \"$0\" stream -i tcp://127.0.0.1:24205 --reconnect 4 --json >o",
      folder
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(try frames("o", folder) == 100, "\(run.errors)")
  }

  @Test func aConnectionThatBreaksOffForGoodIsDamage() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 50)
    let server = """
      import socket, struct, time
      listener = socket.create_server(("127.0.0.1", 24226))
      peer = listener.accept()[0]
      data = open("c.ts", "rb").read()
      peer.sendall(data[: len(data) // 2])
      time.sleep(1)
      peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
      """
    try PortBlock.moved(server).write(
      toFile: folder.path("server.py"),
      atomically: true,
      encoding: .utf8
    )
    let run = try shell(
      "python3 server.py & $T/wait-for 24226;"
        + " \"$0\" stream -q -i tcp://127.0.0.1:24226 -o o.ts",
      folder
    )
    #expect(run.exitCode == 4, "\(run.errors)")
    #expect(try (10..<50).contains(frames("o.ts", folder)))
  }

  @Test func aFileThatWasReadWholeIsNotReadAgain() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 50)
    let run = try shell(
      "python3 -m http.server 24227 --bind 127.0.0.1 2>log & server=$!; $T/wait-for 24227;"
        + " timeout 60 \"$0\" stream -q -i http://127.0.0.1:24227/c.ts --reconnect 3 -o o.ts;"
        + " code=$?; kill $server; exit $code",
      folder
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(try frames("o.ts", folder) == 50)
  }

  @Test func endsWithItsReaderWhileTheAddressIsSilent() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.ts", frames: 25)
    let server = """
      import socket, time
      listener = socket.create_server(("127.0.0.1", 24228))
      peer = listener.accept()[0]
      peer.sendall(open("c.ts", "rb").read())
      time.sleep(60)
      """
    let script = """
      echo '\(server)' >server.py; python3 server.py & server=$!; $T/wait-for 24228
      (timeout 40 "$0" stream -q -i tcp://127.0.0.1:24228; echo $? >code) | timeout 6 cat >part
      kill $server
      """
    _ = try shell(script, folder)
    #expect(try String(contentsOfFile: folder.path("code"), encoding: .utf8) == "74\n")
  }

  @Test func aPlaylistArrivesAndIsCounted() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let run = try shell(
      "$T/put-server 24229 2>log & server=$!; $T/wait-for 24229;"
        + " \"$0\" stream -q --json -i c.mkv -o http://127.0.0.1:24229/x.m3u8; code=$?; sleep 1; kill $server; exit $code",
      folder
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(try frames("x.m3u8", folder) == 50)
    #expect(run.output.contains(#/"bytes_written" ?: ?[1-9]/#), "\(run.output)")
  }

  @Test func aPlaylistThatDoesNotArriveIsAnError() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 50)
    let run = try Program(
      ["stream", "-i", "c.mkv", "-o", "http://127.0.0.1:1/x.m3u8"],
      in: folder
    )
    #expect(run.exitCode == 74 && run.errors.contains("Connection refused"), "\(run.errors)")
  }

  @Test(arguments: [
    "rtsp://127.0.0.1:1/x", "http://127.0.0.1:1/x.m3u8", "http://127.0.0.1:24230/x.m3u8",
  ])
  func whatCannotBeReachedCannotBeOpened(url: String) throws {
    let folder = try TemporaryFolder()
    let run = try shell(
      "python3 -m http.server 24230 --bind 127.0.0.1 2>log & server=$!; $T/wait-for 24230;"
        + " \"$0\" stream -q -i \(url) -o o.ts; code=$?; kill $server; exit $code",
      folder
    )
    #expect(run.exitCode == 66, "\(run.errors)")
  }

  @Test(arguments: ["file://$PWD/x1.ts", "http://localhost:24206/x1.ts"])
  func aPlaylistReachesNothingElse(other: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("c.mkv", frames: 75)
    let script = """
      ffmpeg -v error -i c.mkv -map 0:v -c:v libx264 -g 25 -f hls -hls_time 1 -hls_list_size 0 x.m3u8
      sed "s|^x1.ts|\(other)|" x.m3u8 >y.m3u8
      python3 -m http.server 24206 --bind 127.0.0.1 >/dev/null 2>log & server=$!
      $T/wait-for 24206
      "$0" stream -q -i http://127.0.0.1:24206/y.m3u8 >o
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

  @Test(arguments: ["-", "c.ts"])
  func connectsAgainOnlyInTheNetwork(input: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program(["stream", "--reconnect", "5", "-i", input, "-o", "o.ts"], in: folder)
    #expect(run.exitCode == 64 && run.errors.contains("--reconnect needs"), "\(run.errors)")
  }

  @Test(arguments: ["rtsp://127.0.0.1:1/x", "RTP://127.0.0.1:1", "http://127.0.0.1:1/x.m3u8?a=b"])
  func doesNotConnectAgainWhereConnectionsEndForGood(input: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program(["stream", "--reconnect", "5", "-i", input, "-o", "o.ts"], in: folder)
    #expect(run.exitCode == 64 && run.errors.contains("--reconnect is not for"), "\(run.errors)")
  }

  @Test(arguments: ["rtsp://127.0.0.1:1/x", "RTP://127.0.0.1:1", "http://127.0.0.1:1/x.m3u8?a=b"])
  func takesNoFormatWhereTheProtocolSaysIt(input: String) throws {
    let folder = try TemporaryFolder()
    for option in ["--input-format=mpegts", "--framerate=25"] {
      let run = try Program(["stream", option, "-i", input, "-o", "o.ts"], in: folder)
      let said = "is not for RTSP, RTP and HLS"
      #expect(run.exitCode == 64 && run.errors.contains(said), "\(run.errors)")
    }
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
    let servers = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Network")
    return try Program(
      ["-c", "T=\"$1\"; \(PortBlock.moved(line))", Program.binary.path, servers.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
  }
}

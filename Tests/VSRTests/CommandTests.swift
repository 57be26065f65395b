import Engine
import Foundation
import TestSupport
import Testing

@Suite struct CommandTests {
  @Test func probeShowsStreams() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4")
    let text = try Program(["probe", "old.mp4"], in: folder)
    #expect(text.exitCode == 0 && text.output.contains("* 0: video h264, 64x48, yuv420p"))
    let json = try Program(["probe", "old.mp4", "--json"], in: folder)
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect((object?["streams"] as? [Any])?.count == 2 && object?["picture_stream"] as? Int == 0)
  }

  @Test func benchNeedsNoInput() throws {
    let folder = try TemporaryFolder()
    let run = try Program(
      ["bench", "--json", "--video-size", "32x24", "--seconds", "0.1", "--frames", "3"]
        + ["--threads", "2"],
      in: folder
    )
    let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    let shares = try #require(object?["shares"] as? [String: Double])
    #expect(abs(shares.values.reduce(0, +) - 1) < 0.01)
    #expect(try #require(object?["engine_fps"] as? Double) > 0)
    #expect(try #require(object?["engine_processor_seconds_per_frame"] as? Double) > 0)
    #expect(try #require(object?["frame_seconds"] as? Double) > 0)
    #expect(try #require(object?["frame_seconds_with_one_thread"] as? Double) > 0)
    #expect(try #require(object?["whole_run_fps"] as? Double) > 0)
    #expect(folder.names.isEmpty)
  }

  /// The precisions that this CPU can compute in.
  static let precisions = ["fp32", "int8"] + (Precision.bfloat16.isPossible ? ["bf16"] : [])

  @Test(arguments: precisions) func benchNamesThePrecision(precision: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program(
      ["bench", "--video-size", "32x24", "--seconds", "0.1", "--frames", "0"]
        + ["--precision", precision],
      in: folder
    )
    #expect(run.exitCode == 0)
    #expect(run.output.prefix { $0 != "\n" }.contains(" \(precision), "))
  }

  // oneDNN's thread library writes a line for every thread that it gives work to.
  // oneDNN can be told to forget what the CPU has.
  @Test func saysWhichPrecisionTheProcessorLacks() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("in.mkv", frames: 1)
    let script = """
      export DNNL_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2
      "$0" doctor; "$0" in.mkv out.mkv -q && "$0" in.mkv bf16.mkv --precision bf16
      """
    let run = try Program(
      ["-c", script, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh")
    )
    #expect(run.output.contains("bf16          not on this processor"), "\(run.output)")
    #expect(run.exitCode == 64 && run.errors.contains("--precision bf16 needs"), "\(run.errors)")
    #expect(folder.names == ["in.mkv", "out.mkv"])
  }

  @Test(arguments: precisions) func aWorkerIsOneThread(precision: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program(
      ["OMP_DISPLAY_AFFINITY=TRUE", "OMP_AFFINITY_FORMAT=thread %n of %N", Program.binary.path]
        + ["bench", "--video-size", "64x48", "--seconds", "0.1", "--frames", "0"]
        + ["--threads", "1", "--precision", precision],
      in: folder,
      of: URL(fileURLWithPath: "/usr/bin/env")
    )
    #expect(run.exitCode == 0)
    #expect(!run.errors.contains("thread 1 of"), "\(run.errors)")
  }

  @Test func doctorAndVersionNameTheLibraries() throws {
    let folder = try TemporaryFolder()
    for arguments in [["doctor"], ["--version"], ["-V"]] {
      let run = try Program(arguments, in: folder)
      #expect(run.exitCode == 0)
      for name in ["FFmpeg", "zimg", "oneDNN", "OpenBLAS"] { #expect(run.output.contains(name)) }
    }
  }

  @Test func helpGoesToStandardOutput() throws {
    let folder = try TemporaryFolder()
    for arguments in [["--help"], ["help", "upscale"], ["bench", "-h"]] {
      let run = try Program(arguments, in: folder)
      #expect(run.exitCode == 0 && run.output.contains("USAGE") && run.errors.isEmpty)
    }
  }

  @Test func lostDataIsAnError() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4", frames: 2)
    let commands = [
      ["probe", "old.mp4", "--json"], ["models", "list"], ["doctor"], ["--help"],
      ["old.mp4", "new.mp4", "--json", "-q"],
    ]
    for command in commands {
      let run = try Program(command, in: folder, output: "/dev/full")
      #expect(run.exitCode == 74, "\(command)")
      #expect(run.errors == "vsr: cannot write standard output: No space left on device\n")
    }
  }

  @Test func aReaderThatLeavesIsNoError() throws {
    let folder = try TemporaryFolder()
    let script = "set -o pipefail; \"$0\" doctor | true"
    let run = try Program(
      ["-c", script, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
    #expect(run.exitCode == 0 && run.errors.isEmpty)
  }

  @Test func oneFrameIsNotCalledFrames() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("in.mkv", size: "32x24", frames: 1)
    let run = try Program([folder.path("in.mkv"), folder.path("out.mkv"), "-v"], in: folder)
    #expect(run.exitCode == 0 && run.errors.contains(": 1 frame in "), "\(run.errors)")
    #expect(!run.errors.contains("1 frames"))
  }

  @Test func probeRefusesOptionsOfARun() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mp4", frames: 2)
    for option in ["--strict", "--dedup=off", "--deinterlace=on", "--max-error-rate=0"] {
      let run = try Program(["probe", "old.mp4", option], in: folder)
      #expect(run.exitCode == 64 && run.errors.contains("Unknown option"), "\(run.errors)")
    }
  }

  @Test func probeEscapesWhatATerminalWouldObey() throws {
    let folder = try TemporaryFolder()
    let arguments = [
      "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:duration=0.1", "-metadata:s:v",
      "title=a\u{1B}[31mb", folder.path("old.mkv"),
    ]
    try #require(try Subprocess("ffmpeg", arguments).exitCode == 0)
    let run = try Program(["probe", "old.mkv"], in: folder)
    #expect(run.output.contains("'a\\u{1B}[31mb'"), "\(run.output)")
  }

  @Test func benchIsJSONWhateverTheModelIsCalled() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      atPath: repositoryRoot + "Models/fast/weights.safetensors",
      toPath: folder.path("we\"ird.safetensors")
    )
    let run = try Program(
      ["bench", "--json", "--video-size", "32x24", "--seconds", "0.1", "--frames", "0"]
        + ["-m", "./we\"ird.safetensors"],
      in: folder
    )
    let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    #expect((object?["title"] as? String)?.contains("we\"ird") == true)
  }

  @Test func benchLeavesNoClip() throws {
    let folder = try TemporaryFolder()
    let script =
      "TMPDIR=\"$PWD\" exec \"$0\" bench --video-size 32x24 --seconds 0.1 --frames 300000"
    let run = try Program(
      ["-c", script, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/sh"),
      interruptAfter: 1.5
    )
    #expect(run.exitCode == 130)
    #expect(folder.names.isEmpty)
  }

  @Test func whatFollowsTwoDashesIsAName() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("-my_file.mp4", frames: 2)
    let run = try Program(["probe", "--", "-my_file.mp4"], in: folder)
    #expect(run.exitCode == 0, "\(run.errors)")
  }

  /// A file whose name is in Latin-1.
  @Test(arguments: [#"-i "$n""#, #"--input="$n""#])
  func namesAreBytesHoweverTheyAreGiven(input: String) throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 2)
    let script = #"n=$'caf\xe9.mkv'; mv old.mkv "$n"; "$0" upscale -q -o new.mkv \#(input)"#
    let run = try Program(
      ["-c", script + #"; code=$?; rm "$n"; exit $code"#, Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(folder.names == ["new.mkv"])
  }

  @Test(arguments: [#"$'\xe9.mkv' $'\xe8.mkv'"#, #"-i $'\xe9.mkv' --output=$'\xef\xbf\xbd.mkv'"#])
  func refusesNamesThatLookTheSame(names: String) throws {
    let folder = try TemporaryFolder()
    let run = try Program(
      ["-c", "exec \"$0\" upscale \(names)", Program.binary.path],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
    #expect(run.exitCode == 64 && run.errorLines.count == 1, "\(run.errors)")
    #expect(run.errors.contains("'\u{FFFD}.mkv' may be either"), "\(run.errors)")
    #expect(run.errors.contains("rename one of the files"), "\(run.errors)")
  }

  @Test func helpShowsDefaultsAsTheyAreTyped() throws {
    let run = try Program(["stream", "--help"], in: try TemporaryFolder())
    #expect(run.output.contains("The input (default: -).") && !run.output.contains("MediaPath"))
  }

  @Test func helpNamesEveryExitCode() throws {
    let run = try Program(["--help"], in: try TemporaryFolder())
    let words = run.output.split { !$0.isNumber }.map(String.init)
    for code in [0, 4, 64, 65, 66, 69, 70, 73, 74, 78, 129, 130, 143] {
      #expect(words.contains("\(code)"), "\(code)")
    }
  }

  @Test func readmeExamplesWork() throws {
    let readme = try String(contentsOfFile: repositoryRoot + "README.md", encoding: .utf8)
    let examples = readme.split(separator: "\n").filter { $0.hasPrefix("vsr ") }
    #expect(examples.count >= 5)
    for example in examples {
      let folder = try TemporaryFolder()
      try folder.makeClip("old.mp4")
      try folder.makeClip("old.mkv")
      #expect(
        try Subprocess(
          "ffmpeg",
          ["-v", "error", "-i", folder.path("old.mp4"), "-frames:v", "1", folder.path("old.png")]
        ).exitCode == 0
      )
      let words = example.split(separator: "#")[0].split(separator: " ").dropFirst().map(
        String.init
      )
      let run = try Program(words, in: folder)
      #expect(run.exitCode == 0, "\(example): \(run.errors)")
    }
  }
}

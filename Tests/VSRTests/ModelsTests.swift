import Engine
import Foundation
import TestSupport
import Testing

@Suite struct ModelsTests {
  private static let fixtures = repositoryRoot + "Tests/EngineTests/Fixtures/"

  @Test func listsBundledModelsAndAFolder() throws {
    let folder = try TemporaryFolder()
    let files = FileManager.default
    try files.createDirectory(atPath: folder.path("more"), withIntermediateDirectories: false)
    try files.copyItem(atPath: Self.fixtures + "rrdb-x2.pth", toPath: folder.path("more/b.pth"))
    try Data().write(to: folder.url.appendingPathComponent("more/a.safetensors"))

    let run = try Program(["models", "list", "--model-dir", "more"], in: folder)

    let lines = run.output.split(separator: "\n")
    let bundled = BundledModel.all
    #expect(run.exitCode == 0 && lines.count == bundled.count + 2)
    for (line, model) in zip(lines, bundled) {
      #expect(line.hasPrefix(model.name + "  ") && line.hasSuffix(" pixel: " + model.summary))
    }
    #expect(lines[0].contains("  compact ×4, 334544 parameters, 0.292 MMAC per input pixel: "))
    #expect(lines[bundled.count].contains("too short"))
    #expect(
      lines.last == "more/b.pth  rrdb ×2, 2967 parameters, 0.002 MMAC per input pixel"
    )
  }

  @Test(arguments: BundledModel.all.map(\.name)) func showsWhatIsBundled(name: String) throws {
    let run = try Program(["models", "show", name], in: try TemporaryFolder())
    #expect(run.exitCode == 0 && run.output.hasPrefix("name              \(name)\ngood for "))
  }

  @Test func showsAFileAsTextAndJSON() throws {
    let folder = try TemporaryFolder()
    let path = Self.fixtures + "rrdb-x2.pth"
    let text = try Program(["models", "show", path], in: folder)
    let json = try Program(["models", "show", path, "--json"], in: folder)

    #expect(text.exitCode == 0 && text.output.contains("2967 in"))
    #expect(text.output.contains("\nnetwork           rrdb\nscale             ×2\n"))
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect(object?["network"] as? String == "rrdb")
    let digest = try Subprocess("sha256sum", [path]).text.prefix(64)
    #expect(object?["sha256"] as? String == String(digest))
  }

  @Test(.enabled(if: SharedFolder.fixtures.isExpected))
  func countsParametersAsTheAuthorsDo() throws {
    let folder = try TemporaryFolder()
    let path = try SharedFolder.fixtures.path("ctmsr-tiny/ctmsr.pth")
    let run = try Program(["models", "show", path], in: folder)
    #expect(run.exitCode == 0 && run.output.contains("2191413 in"), "\(run.output)")
  }

  @Test func importsWithACardThatRunsTheSame() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 2)
    try FileManager.default.copyItem(
      atPath: Self.fixtures + "srvgg-x2.pth",
      toPath: folder.path("m.pth")
    )
    let made = try Program(["models", "import", "m.pth"], in: folder)
    #expect(made.exitCode == 0, "\(made.errors)")
    let hashes = try ["./m.pth", "m.safetensors"].map { model in
      let arguments = ["old.mkv", "-", "-f", "framemd5", "-c", "rawvideo", "-m", model]
      let run = try Program(arguments, in: folder)
      #expect(run.exitCode == 0, "\(run.errors)")
      return run.output
    }
    #expect(hashes[0] == hashes[1] && hashes[0].contains("128x96"))

    let card = try Program(["models", "show", "m.safetensors"], in: folder)
    #expect(card.output.contains("source          m.pth") && card.output.contains("source_sha256"))
    let again = try Program(["models", "import", "m.pth"], in: folder)
    #expect(again.exitCode == 73 && again.errors.contains("-y replaces it"))
    #expect(try Program(["models", "import", "m.pth", "-y"], in: folder).exitCode == 0)
    #expect(folder.names == ["m.pth", "m.safetensors", "old.mkv"])
  }

  /// A folder whose name is in Latin-1.
  @Test func pathsOfModelsAreBytes() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 2)
    let script = #"""
      set -e
      d=$'caf\xe9'
      mkdir "$d"
      cp "$1" "$d/m.pth"
      "$0" models show "$d/m.pth"
      "$0" models import "$d/m.pth"
      "$0" old.mkv new.mkv -m "$d/m.safetensors"
      "$0" old.mkv "$d/m.safetensors" -f matroska -y -m "$d/m.safetensors" && exit 1
      ls "$d"
      rm -r "$d"
      """#
    let run = try Program(
      ["-c", script, Program.binary.path, Self.fixtures + "srvgg-x2.pth"],
      in: folder,
      of: URL(fileURLWithPath: "/bin/bash")
    )
    #expect(run.exitCode == 0 && run.output.hasSuffix("\nm.pth\nm.safetensors\n"), "\(run.errors)")
    #expect(folder.names == ["new.mkv", "old.mkv"])
  }

  @Test(.enabled(if: SharedFolder.fixtures.isExpected))
  func importsTwoFilesAsOneModel() throws {
    let folder = try TemporaryFolder()
    try folder.makeClip("old.mkv", frames: 2)
    let files = try ["unet", "autoencoder"].map {
      try SharedFolder.fixtures.path("tadsr-tiny/\($0).pth")
    }
    let latents = ["--autoencoder", files[1]]
    let made = try Program(
      ["models", "import", files[0], "-o", "m.safetensors"] + latents,
      in: folder
    )
    #expect(made.exitCode == 0, "\(made.errors)")
    let hashes = try [["-m", files[0]] + latents, ["-m", "./m.safetensors"]].map { model in
      let arguments = ["old.mkv", "-", "-f", "framemd5", "-c", "rawvideo"] + model
      let run = try Program(arguments, in: folder)
      #expect(run.exitCode == 0, "\(run.errors)")
      return run.output
    }
    #expect(hashes[0] == hashes[1] && hashes[0].contains("256x192"))
    let shown = try [[files[0]] + latents, ["m.safetensors"]].map { model in
      try Program(["models", "show"] + model, in: folder).output
    }
    #expect(shown.allSatisfy { $0.contains("tadsr") && $0.contains("6003091 in") }, "\(shown)")
    #expect(shown[1].contains("autoencoder_sha256"))
    let twice = ["models", "import", files[0], "--autoencoder", files[0], "-o", "n.safetensors"]
    #expect(try Program(twice, in: folder).exitCode == 78)
    #expect(folder.names == ["m.safetensors", "old.mkv"])
  }

  @Test func refusesWhatCannotBeImported() throws {
    let folder = try TemporaryFolder()
    let model = Self.fixtures + "srvgg-x2.pth"
    let refusals: [(arguments: [String], code: Int32, words: String)] = [
      (["show", "fsat"], 78, "bundled are: fast"),
      (["show", "none.pth"], 78, "No such file"),
      (["import", "none.pth"], 78, "No such file"),
      (["import", Self.fixtures + "torch-types.pth", "-o", "o.safetensors"], 78, "known are"),
      (["import", Self.fixtures + "torch-legacy.pth", "-o", "o.safetensors"], 78, "torch.save"),
      (["import", model, "-o", "none/o.safetensors"], 73, "cannot create"),
      (["import", model, "-o", "o.pth"], 64, "must end in .safetensors"),
      (["import"], 64, "Missing"),
      (["quantize", "fast", "--calibrate", "none.png", "-o", "o.safetensors"], 66, "No such file"),
      (
        ["quantize", "fast", "--calibrate", "none.png", "-o", "o.pth"], 64,
        "must end in .safetensors"
      ),
      (["quantize", "fast", "-o", "o.safetensors"], 64, "Missing"),
      (["list", "--model-dir", "none"], 64, "no folder"),
    ]
    for refusal in refusals {
      let run = try Program(["models"] + refusal.arguments, in: folder)
      #expect(run.exitCode == refusal.code, "\(refusal.arguments): \(run.errors)")
      #expect(run.errorLines.count == 1 && run.errors.contains(refusal.words), "\(run.errors)")
      #expect(folder.names.isEmpty)
    }
  }

  @Test func quantizesAModelThatRunsNearlyTheSame() throws {
    let folder = try TemporaryFolder()
    let clip = repositoryRoot + "Samples/nasa.mp4"
    let made = try Program(
      [
        "models", "quantize", Self.fixtures + "srvgg-x2.pth", "--calibrate", clip, "-o",
        "q.safetensors",
      ],
      in: folder
    )
    // The fixture's layers are too narrow for int8.
    #expect(made.exitCode == 78 && made.errors.contains("can run in int8"), "\(made.errors)")

    let arguments = ["models", "quantize", "fast", "--calibrate", clip, "-o", "q.safetensors"]
    let run = try Program(arguments, in: folder)
    #expect(run.exitCode == 0 && run.errors.contains("14 convolutions in int8"), "\(run.errors)")
    let shown = try Program(["models", "show", "q.safetensors"], in: folder)
    #expect(shown.output.contains("int8_loss_db"))
    #expect(try Program(arguments, in: folder).exitCode == 73)

    for (model, precision) in [("fast", "fp32"), ("fast", "int8"), ("./q.safetensors", "int8")] {
      let name = model == "fast" ? "\(precision).nut" : "q.nut"
      let run = try Program(
        [clip, name, "-c", "rawvideo", "--frames", "2", "-m", model, "--precision", precision],
        in: folder
      )
      #expect(run.exitCode == 0, "\(run.errors)")
    }
    for name in ["int8.nut", "q.nut"] { #expect(try psnr(name, "fp32.nut", in: folder) > 45) }
  }

  private func psnr(_ one: String, _ other: String, in folder: TemporaryFolder) throws -> Double {
    let arguments = [
      "-v", "info", "-i", folder.path(one), "-i", folder.path(other), "-lavfi", "psnr=f=-", "-f",
      "null", "-",
    ]
    let text = try Subprocess("ffmpeg", arguments).text
    let values = text.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("psnr_avg:") }
    return values.compactMap { $0 == "psnr_avg:inf" ? 100 : Double($0.dropFirst(9)) }.min() ?? 0
  }
}

public import ArgumentParser
internal import Engine
public import Pipeline

// How values are written on the command line. Each refuses text that it does not understand: the parser then
// names the option, and where its placeholder does not say what it takes, the thrown error does.

extension MediaPath: ExpressibleByArgument {
  /// Takes the path as it is.
  public init?(argument: String) {
    self = RawArguments.path(argument)
  }

  /// The path as it is typed.
  public var defaultValueDescription: String { text }
}

extension EncoderOptions.Option: ExpressibleByArgument {
  /// Reads `key=value`.
  public init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
      return nil
    }
    self.init(
      key: String(argument[..<equals]),
      value: String(argument[argument.index(after: equals)...]),
    )
  }
}

extension Deinterlacing: ExpressibleByArgument {}

extension Rational: ExpressibleByArgument {
  /// Reads `25`, `30000/1001` or `23.976`.
  public init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2, let a = Int32(parts[0]), let b = Int32(parts[1]), a > 0, b > 0 {
      self.init(a, b)
    } else if let rate = Double(argument), (0.001...10_000).contains(rate) {
      self.init(Int32((rate * 1000).rounded()), 1000)
    } else {
      return nil
    }
  }
}

/// A time: seconds, `MM:SS` or `HH:MM:SS`, with a fraction if need be.
struct TimeArgument {
  let duration: Duration

  @Sendable init(_ argument: String) throws {
    guard let seconds = Self.seconds(argument), seconds < 1e9 else {
      throw ValidationError("a time is seconds, MM:SS or HH:MM:SS, as in 90.5 or 1:30.5")
    }
    duration = .nanoseconds(Int64((seconds * 1e9).rounded()))
  }

  private static func seconds(_ argument: String) -> Double? {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
    guard (1...3).contains(parts.count) else { return nil }
    var seconds = 0.0
    for part in parts {
      guard let part, part.isFinite, part >= 0, parts.count == 1 || part < 1e6 else { return nil }
      seconds = seconds * 60 + part
    }
    return seconds
  }
}

/// A stretch of frames: `A:B` from frame A, counted from 0, up to but without frame B; `B` alone from 0.
struct FramesArgument {
  let range: Range<Int>

  @Sendable init(_ argument: String) throws {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    let first = parts.count == 2 ? Int(parts[0].isEmpty ? "0" : parts[0]) : 0
    let end = parts.last.flatMap { $0.isEmpty && parts.count == 2 ? Int.max : Int($0) }
    guard parts.count <= 2, let first, let end, first >= 0, end > first else {
      throw ValidationError("frames are A:B with A below B, or B alone, as in 100:200")
    }
    range = first..<end
  }
}

/// A size in pixels: `1920x1080`.
struct SizeArgument {
  let width: Int
  let height: Int

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  // 65535: no format that we write can say more.
  @Sendable init(_ argument: String) throws {
    let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]),
      (1...65535).contains(width), (1...65535).contains(height)
    else { throw ValidationError("a size is WxH, each from 1 to 65535, as in 1280x720") }
    self.width = width
    self.height = height
  }
}

/// A frame that the picture is fitted into, by its usual name.
enum ResolutionArgument: String, ExpressibleByArgument, CaseIterable {
  case hd720 = "720p"
  case hd1080 = "1080p"
  case hd1440 = "1440p"
  case uhd4k = "4k"

  var size: OutputOptions.Size {
    switch self {
    case .hd720: .fitting(width: 1280, height: 720)
    case .hd1080: .fitting(width: 1920, height: 1080)
    case .hd1440: .fitting(width: 2560, height: 1440)
    case .uhd4k: .fitting(width: 3840, height: 2160)
    }
  }
}

/// How pictures are cut: `auto`, `0` for not at all, or the side of a tile.
struct TileArgument {
  let tiling: Upscaler.Tiling

  static let automatic = TileArgument(tiling: .automatic)

  private init(tiling: Upscaler.Tiling) {
    self.tiling = tiling
  }

  @Sendable init(_ argument: String) throws {
    switch argument == "auto" ? nil : Int(argument) {
    case nil where argument == "auto": tiling = .automatic
    case 0: tiling = .wholePicture
    // Smaller tiles are nearly all halo.
    case let side? where (16...65535).contains(side): tiling = .side(side)
    default: throw ValidationError("a tile is auto, 0, or its side from 16 to 65535")
    }
  }
}

/// Which pictures are taken for repeats: `off` for none, `exact` for equal ones, or by how many of 255
/// steps a sample may differ.
struct DedupArgument {
  /// In units of 0…1; nil for none.
  let tolerance: Float?

  static let exact = DedupArgument(tolerance: 0)

  private init(tolerance: Float?) {
    self.tolerance = tolerance
  }

  @Sendable init(_ argument: String) throws {
    switch argument {
    case "off": tolerance = nil
    case "exact": tolerance = 0
    default:
      guard let steps = Float(argument), (0...255).contains(steps) else {
        throw ValidationError("repeats are off, exact, or a threshold from 0 to 255")
      }
      tolerance = steps / 255
    }
  }
}

/// The library that runs the network.
enum BackendArgument: String, ExpressibleByArgument, CaseIterable {
  case auto, onednn, openblas

  func backend(_ precision: Precision) -> any Backend {
    switch self {
    case .auto, .onednn: OneDNNBackend(precision: precision)
    case .openblas: OpenBLASBackend()
    }
  }
}

/// What convolutions multiply.
enum PrecisionArgument: String, ExpressibleByArgument, CaseIterable {
  case auto, fp32, bf16, int8

  init(_ precision: Precision) {
    switch precision {
    case .float32: self = .fp32
    case .bfloat16: self = .bf16
    case .int8: self = .int8
    }
  }

  /// The precision for a model on a backend of which `auto` knows what is fastest.
  ///
  /// - Throws: ``EngineError/model(subject:reason:)`` when the model lacks what it takes.
  func precision(for model: Model, on backend: BackendArgument) throws(EngineError) -> Precision {
    switch self {
    case .auto: return backend == .openblas ? .float32 : model.fastestPrecision
    case .fp32: return .float32
    case .bf16: return .bfloat16
    case .int8:
      guard model.hasIntegerFactors else {
        throw .model(
          subject: "'\(model.name.printable)'",
          reason: "it has no int8 weights; 'vsr models quantize' makes a file that has",
        )
      }
      return .int8
    }
  }
}

extension Precision {
  /// The name on the command line.
  var argument: String { PrecisionArgument(self).rawValue }
}

/// An amount of memory: a number with a unit, as in `8G` or `500M`.
struct MemoryArgument {
  let byteCount: Int

  // Units are powers of 1024, as for the other programs that limit memory.
  private static let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]

  @Sendable init(_ argument: String) throws {
    var text = argument.uppercased()[...]
    for suffix in ["IB", "B"] where text.hasSuffix(suffix) {
      text = text.dropLast(suffix.count)
      break
    }
    guard let last = text.last, let power = Self.units[last], let number = Double(text.dropLast()),
      number.isFinite, number > 0, number * Double(1 << power) < Double(1 << 50)
    else { throw ValidationError("a size is a number with K, M, G or T, as in 500M or 8G") }
    byteCount = Int(number * Double(1 << power))
  }
}

/// What noise a frame gets.
enum NoiseArgument: String, ExpressibleByArgument, CaseIterable {
  case still
  case perFrame = "per-frame"

  var noise: Upscaler.Noise { self == .still ? .still : .perFrame }
}

/// How tiles that overlap become one picture.
enum TilesArgument: String, ExpressibleByArgument, CaseIterable {
  case seamless, paper

  var blending: Upscaler.Blending { self == .paper ? .paper : .seamless }
}

internal import FFmpegC

/// Which light pictures were mastered for, as encoders want to be told: HDR10.
struct MasteringLight {
  private var display: AVMasteringDisplayMetadata?
  private var level: AVContentLightMetadata?

  init(_ data: [SideData]) {
    for data in data {
      unsafe data.bytes.withUnsafeBytes { bytes in
        switch data.type {
        case AV_PKT_DATA_MASTERING_DISPLAY_METADATA
        where bytes.count >= MemoryLayout<AVMasteringDisplayMetadata>.size:
          display = unsafe bytes.loadUnaligned(as: AVMasteringDisplayMetadata.self)
        case AV_PKT_DATA_CONTENT_LIGHT_LEVEL
        where bytes.count >= MemoryLayout<AVContentLightMetadata>.size:
          level = unsafe bytes.loadUnaligned(as: AVContentLightMetadata.self)
        default: break
        }
      }
    }
  }

  /// Settings among `x265-params`: chromaticities in units of 0.00002, luminances of 0.0001 cd/m².
  var x265: [String] {
    settings(display: "master-display", level: "max-cll") { value, unit in
      String(Int((Rational(value).value * unit).rounded()))
    }
  }

  /// Settings among `svtav1-params`, as decimal numbers.
  var svtAV1: [String] {
    settings(display: "mastering-display", level: "content-light") { value, _ in
      String(Rational(value).value)
    }
  }

  private func settings(
    display displayKey: String,
    level levelKey: String,
    number: (AVRational, Double) -> String,
  ) -> [String] {
    var settings: [String] = []
    if let display, display.has_primaries != 0, display.has_luminance != 0 {
      let primaries = display.display_primaries
      func point(_ name: String, _ point: (AVRational, AVRational)) -> String {
        "\(name)(\(number(point.0, 50_000)),\(number(point.1, 50_000)))"
      }
      let luminance = [display.max_luminance, display.min_luminance].map { number($0, 10_000) }
      settings.append(
        "\(displayKey)=" + point("G", primaries.1) + point("B", primaries.2)
          + point("R", primaries.0) + point("WP", display.white_point)
          + "L(\(luminance.joined(separator: ",")))"
      )
    }
    if let level { settings.append("\(levelKey)=\(level.MaxCLL),\(level.MaxFALL)") }
    return settings
  }
}

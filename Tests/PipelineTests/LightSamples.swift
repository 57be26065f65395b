import Engine
import FFmpegC
import Foundation
import Testing

@testable import Pipeline

extension PictureMap {
  /// Leaves every place of a sample where it is.
  static let unchanged = PictureMap(
    orientation: .upright,
    source: (LightSample.side, LightSample.side),
    target: (LightSample.side, LightSample.side)
  )
}

/// Pictures with HDR10+ data, and files of them.
enum LightSample {
  static let side = 64

  /// A grey picture with HDR10+ data of one to three windows.
  static func picture(brightness: Int, windows: Int = 1) throws -> Frame {
    let frame = try Frame(width: side, height: side, format: AV_PIX_FMT_YUV420P10LE)
    try check(av_frame_make_writable(frame.native), .use, "picture")
    for plane in [frame.native.pointee.data.0, frame.native.pointee.data.1] {
      try #require(plane).update(repeating: 1, count: side * side / 2)
    }
    let light = try #require(av_dynamic_hdr_plus_create_side_data(frame.native))
    light.pointee.application_version = 1
    light.pointee.num_windows = UInt8(windows)
    light.pointee.targeted_system_display_maximum_luminance = AVRational(num: 400, den: 1)
    describe(&light.pointee.params.0, brightness)
    if windows > 1 {
      describe(&light.pointee.params.1, brightness + 1)
      place(&light.pointee.params.1, corners: (3, 5, 30, 44), angle: 30)
    }
    if windows > 2 {
      describe(&light.pointee.params.2, brightness + 2)
      place(&light.pointee.params.2, corners: (0, 0, 63, 63), angle: 135)
      light.pointee.params.2.overlap_process_option = AV_HDR_PLUS_OVERLAP_PROCESS_LAYERING
    }
    return frame
  }

  /// The HDR10+ data of such a picture, to be written.
  static func light(brightness: Int, windows: Int = 1) throws -> DynamicLight? {
    let picture = try picture(brightness: brightness, windows: windows)
    return DynamicLight(picture, .unchanged)
  }

  /// Encodes a grey picture for each of `lights` into a file of HEVC.
  static func write(_ lights: [DynamicLight], to path: String) throws {
    MediaLog.silenced
    var encoder = try Encoder(try EncoderCandidate(named: "libx265"), settings())
    var stream = Data()
    for (number, light) in lights.enumerated() {
      let time = FrameTime(pts: Int64(number), duration: 1)
      try encoder.send(try picture(brightness: 1), time, nil, light)
      try drain(&encoder, into: &stream)
    }
    try encoder.finish()
    try drain(&encoder, into: &stream)
    try stream.write(to: URL(fileURLWithPath: path))
  }

  /// What `body` finds in each picture of a file.
  static func read<Found>(
    _ path: String,
    _ body: (borrowing Frame) throws -> Found,
  ) throws -> [Found] {
    var found: [Found] = []
    var opened = try OpenedInput(InputOptions(MediaPath(path)), Cancellation())
    while let packet = try opened.demuxer.read() { try opened.pictures.send(packet) }
    opened.pictures.finish()
    while let frame = try opened.pictures.next() { found.append(try body(frame)) }
    return found
  }

  /// All that libavcodec has read, as it lies in memory.
  static func bytes(_ frame: borrowing Frame) throws -> [UInt8] {
    let data = av_frame_get_side_data(frame.native, AV_FRAME_DATA_DYNAMIC_HDR_PLUS)
    let bytes = try #require(data?.pointee.data)
    return Array(
      UnsafeRawBufferPointer(start: bytes, count: MemoryLayout<AVDynamicHDRPlus>.size)
    )
  }

  /// The fields of a window that say where it lies, in the order of the stream.
  static func place(_ window: AVHDRPlusColorTransformParams) -> [Int] {
    let corners = [
      window.window_upper_left_corner_x, window.window_upper_left_corner_y,
      window.window_lower_right_corner_x, window.window_lower_right_corner_y,
    ]
    return corners.map { Int($0.num) / Int($0.den) } + [
      Int(window.center_of_ellipse_x), Int(window.center_of_ellipse_y), Int(window.rotation_angle),
      Int(window.semimajor_axis_internal_ellipse), Int(window.semimajor_axis_external_ellipse),
      Int(window.semiminor_axis_external_ellipse),
    ]
  }

  private static func describe(_ window: inout AVHDRPlusColorTransformParams, _ brightness: Int) {
    func fraction(_ number: Int) -> AVRational { AVRational(num: Int32(number), den: 100_000) }
    window.maxscl = (fraction(brightness), fraction(0), fraction(65_536))
    window.average_maxrgb = fraction(brightness / 2)
    window.num_distribution_maxrgb_percentiles = 1
    window.distribution_maxrgb.0.percentage = 99
    window.distribution_maxrgb.0.percentile = fraction(brightness)
    window.fraction_bright_pixels = AVRational(num: 7, den: 1000)
    window.tone_mapping_flag = 1
    window.knee_point_x = AVRational(num: 1000, den: 4095)
    window.knee_point_y = AVRational(num: 2000, den: 4095)
    window.num_bezier_curve_anchors = 2
    window.bezier_curve_anchors.0 = AVRational(num: 100, den: 1023)
    window.bezier_curve_anchors.1 = AVRational(num: 900, den: 1023)
    window.color_saturation_mapping_flag = 1
    window.color_saturation_weight = AVRational(num: 5, den: 8)
  }

  private static func place(
    _ window: inout AVHDRPlusColorTransformParams,
    corners: (Int32, Int32, Int32, Int32),
    angle: UInt8,
  ) {
    window.window_upper_left_corner_x = AVRational(num: corners.0, den: 1)
    window.window_upper_left_corner_y = AVRational(num: corners.1, den: 1)
    window.window_lower_right_corner_x = AVRational(num: corners.2, den: 1)
    window.window_lower_right_corner_y = AVRational(num: corners.3, den: 1)
    window.center_of_ellipse_x = 16
    window.center_of_ellipse_y = 20
    window.rotation_angle = angle
    window.semimajor_axis_internal_ellipse = 6
    window.semimajor_axis_external_ellipse = 12
    window.semiminor_axis_external_ellipse = 9
  }

  private static func settings() throws -> EncoderSettings {
    let layout = try #require(PixelLayout(AV_PIX_FMT_YUV420P10LE))
    let color = ColorSpec(
      matrix: .bt2020,
      primaries: 9,
      transfer: 16,
      range: .limited,
      chroma: .left
    )
    var options = EncoderOptions()
    options.threads = 1
    return EncoderSettings(
      target: PictureTarget(width: side, height: side, layout: layout, color: color),
      timeBase: Rational(1, 25),
      frameRate: Rational(25, 1),
      pixelShape: Rational(1, 1),
      options: options,
      format: nil
    )
  }

  private static func drain(_ encoder: inout Encoder, into stream: inout Data) throws {
    while let packet = try encoder.receive() {
      stream.append(packet.native.pointee.data, count: packet.byteCount)
    }
  }
}

internal import FFmpegC

/// What the first picture says about all of them.
struct SourcePicture {
  /// The size as stored.
  let width: Int
  let height: Int
  let orientation: Orientation
  let layout: PixelLayout

  /// Whether something in the first picture can be seen through.
  let isTransparent: Bool

  /// What the stream says about its colours, and the same with guesses for what it does not say.
  let declaredColor: ColorSpec
  let color: ColorSpec
  let isInterlaced: Bool

  /// Which light the pictures were mastered for.
  let light: [SideData]

  /// Whether the first picture has HDR10+ data.
  let hasDynamicLight: Bool

  /// What else the first picture carries.
  let data: [FrameData]

  /// The names of what a camera has written about a photo, but for what is done: turning it.
  let tags: [String]

  /// How pictures lie around the viewer or before both eyes, which holds as long as they are not turned.
  let view: [SideData]

  /// What the stream says about Dolby Vision.
  let dolbyVision: DolbyVision?
  let frameRate: Rational

  /// The rate by which frames are counted where each has to keep its time: a higher one if some of them are
  /// shown longer than others.
  let countableRate: Rational
  let timeBase: Rational

  /// The shape of a pixel of the upright picture.
  let pixelShape: Rational

  init(
    _ frame: borrowing Frame,
    _ demuxer: borrowing Demuxer,
    _ stream: Int,
    _ orientation: Orientation,
    _ frameRate: Rational,
  ) throws(MediaError) {
    width = frame.width
    height = frame.height
    self.orientation = orientation
    layout = try PixelLayout(of: frame)
    var toAlpha = ToAlpha(orientation: .upright)
    isTransparent = try toAlpha.seesThrough(frame)
    declaredColor = ColorSpec(frame)
    color = declaredColor.completed(for: layout, width: width, height: height)
    isInterlaced = frame.isInterlaced
    let inHeader = unsafe SideData.all(of: demuxer.stream(stream))
    let lightInHeader = inHeader.filter(\.isAboutLight)
    let coding = unsafe demuxer.stream(stream).pointee.codecpar.pointee.codec_id
    // PNG says by which primaries its numbers are meant; libav takes that for a mastering display.
    let isPNG = [AV_CODEC_ID_PNG, AV_CODEC_ID_APNG].contains(coding)
    let lightInPicture = isPNG ? [] : SideData.light(of: frame)
    light = lightInHeader.isEmpty ? lightInPicture : lightInHeader
    hasDynamicLight = frame.hasDynamicLight
    data = FrameData.all(of: frame)
    let written = unsafe coding == AV_CODEC_ID_MJPEG ? entries(frame.native.pointee.metadata) : [:]
    tags = written.keys.filter { $0 != "Orientation" }.sorted()
    view = orientation == .upright ? SideData.view(inHeader, frame) : []
    dolbyVision = DolbyVision(inHeader, frame)
    self.frameRate = frameRate
    countableRate = demuxer.countableRate(of: stream, average: frameRate)
    timeBase = unsafe Rational(demuxer.stream(stream).pointee.time_base)
    let shape = unsafe Rational(
      av_guess_sample_aspect_ratio(demuxer.native, demuxer.stream(stream), frame.native)
    )
    // Unknown shapes have no inverse.
    pixelShape = orientation.swapsAxes && shape.isPositive ? shape.inverse : shape
  }

  /// The size of the upright picture.
  var uprightSize: (width: Int, height: Int) {
    orientation.swapsAxes ? (height, width) : (width, height)
  }
}

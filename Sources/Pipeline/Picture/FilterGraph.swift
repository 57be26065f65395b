internal import FFmpegC

/// One of libavfilter's filters between a source and a sink.
@safe
struct FilterGraph: ~Copyable, @unchecked Sendable {
  // Safe to send: nothing else holds these pointers.
  private let native: UnsafeMutablePointer<AVFilterGraph>
  private let source: UnsafeMutablePointer<AVFilterContext>
  private let sink: UnsafeMutablePointer<AVFilterContext>

  /// Prepares `filter` for pictures like `frame`, whose times count in `timeBase`.
  ///
  /// - Throws: A ``MediaError`` of kind `bug` when the filter refuses such pictures.
  init(
    _ filter: String,
    _ arguments: String,
    for frame: borrowing Frame,
    timeBase: Rational,
  ) throws(MediaError) {
    let graph = unsafe try allocated(avfilter_graph_alloc(), "filter")
    let picture =
      "video_size=\(frame.width)x\(frame.height):pix_fmt=\(frame.format.rawValue)"
      + ":time_base=\(timeBase.numerator)/\(timeBase.denominator)"
    let ends: Ends
    do throws(MediaError) {
      unsafe ends = try graph.connect(filter, arguments, source: picture)
    } catch {
      var graph: UnsafeMutablePointer<AVFilterGraph>? = unsafe graph
      unsafe avfilter_graph_free(&graph)
      throw error
    }
    unsafe native = graph
    unsafe source = ends.source
    unsafe sink = ends.sink
  }

  deinit {
    var native: UnsafeMutablePointer<AVFilterGraph>? = unsafe native
    unsafe avfilter_graph_free(&native)
  }

  /// Hands over a picture.
  func send(_ frame: consuming Frame) throws(MediaError) {
    unsafe try check(av_buffersrc_add_frame(source, frame.native), .convert, "picture")
  }

  /// Says that no picture follows; the last ones can then be received.
  func finish() throws(MediaError) {
    unsafe try check(av_buffersrc_add_frame(source, nil), .convert, "picture")
  }

  /// The next picture, or `nil` when the filter wants more or has none left.
  func receive() throws(MediaError) -> Frame? {
    let frame = try Frame()
    let code = unsafe av_buffersink_get_frame(sink, frame.native)
    if code == FFMPEGC_EAGAIN || code == FFMPEGC_EOF { return nil }
    try check(code, .convert, "picture")
    return frame
  }
}

private typealias Ends = (
  source: UnsafeMutablePointer<AVFilterContext>, sink: UnsafeMutablePointer<AVFilterContext>
)

extension UnsafeMutablePointer<AVFilterGraph> {
  fileprivate func connect(
    _ filter: String,
    _ arguments: String,
    source: String,
  ) throws(MediaError) -> Ends {
    // The cores belong to the engine and the encoder; one picture's lines are quickly done.
    unsafe pointee.nb_threads = 1
    let source = unsafe try add("buffer", source)
    let middle = unsafe try add(filter, arguments)
    let sink = unsafe try add("buffersink", nil)
    unsafe try check(avfilter_link(source, 0, middle, 0), .convert, "picture")
    unsafe try check(avfilter_link(middle, 0, sink, 0), .convert, "picture")
    unsafe try check(avfilter_graph_config(self, nil), .convert, "picture")
    return unsafe (source, sink)
  }

  fileprivate func add(
    _ name: String,
    _ arguments: String?,
  ) throws(MediaError) -> UnsafeMutablePointer<AVFilterContext> {
    var context: UnsafeMutablePointer<AVFilterContext>?
    let filter = unsafe avfilter_get_by_name(name)
    let code = unsafe avfilter_graph_create_filter(&context, filter, name, arguments, nil, self)
    try check(code, .convert, "picture")
    return unsafe try allocated(context, "filter")
  }
}

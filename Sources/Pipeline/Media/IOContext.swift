internal import FFmpegC

/// libav's view of a file that we read or write ourselves.
///
/// Owns the `AVIOContext` and its buffer; keeps the file alive as long as libav may call it.
@safe
struct IOContext: ~Copyable {
  // 64 KiB: large enough for few system calls, small enough for a pipe to stay responsive.
  private static let bufferSize: Int32 = 1 << 16

  let native: UnsafeMutablePointer<AVIOContext>
  private let file: AnyObject

  /// A context that reads from `file`.
  init(reading file: InputFile) throws(MediaError) {
    let context = unsafe avio_alloc_context(
      av_malloc(Int(IOContext.bufferSize))?.assumingMemoryBound(to: UInt8.self),
      IOContext.bufferSize,
      0,
      Unmanaged.passUnretained(file).toOpaque(),
      { unsafe InputFile.from($0).read(present($1), $2) },
      nil,
      file.canSeek ? { unsafe InputFile.from($0).seek(to: $1, whence: $2) } : nil,
    )
    unsafe native = try allocated(context, "input buffer")
    if !file.isSeekable { unsafe native.pointee.seekable = 0 }
    unsafe file.reader = native
    self.file = file
  }

  /// A context that writes to `file`.
  init(writing file: OutputFile) throws(MediaError) {
    let context = unsafe avio_alloc_context(
      av_malloc(Int(IOContext.bufferSize))?.assumingMemoryBound(to: UInt8.self),
      IOContext.bufferSize,
      1,
      Unmanaged.passUnretained(file).toOpaque(),
      nil,
      { unsafe OutputFile.from($0).write(present($1), $2) },
      file.isSeekable ? { unsafe OutputFile.from($0).seek(to: $1, whence: $2) } : nil,
    )
    unsafe native = try allocated(context, "output buffer")
    unsafe native.pointee.max_packet_size = file.packetSize
    self.file = file
  }

  deinit {
    // libav may have replaced the buffer: free the one it holds now.
    unsafe av_freep(&native.pointee.buffer)
    var native: UnsafeMutablePointer<AVIOContext>? = unsafe native
    unsafe avio_context_free(&native)
  }
}

extension InputFile {
  fileprivate static func from(_ opaque: UnsafeMutableRawPointer?) -> InputFile {
    unsafe Unmanaged.fromOpaque(present(opaque)).takeUnretainedValue()
  }
}

extension OutputFile {
  fileprivate static func from(_ opaque: UnsafeMutableRawPointer?) -> OutputFile {
    unsafe Unmanaged.fromOpaque(present(opaque)).takeUnretainedValue()
  }
}

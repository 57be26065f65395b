internal import Engine
internal import FFmpegC

extension ffmpegc_planes {
  /// The planes of an image; valid while it lives.
  init(_ image: Image) {
    let planes = unsafe (0..<Image.planeCount).map {
      unsafe UnsafeMutableRawPointer(image.plane($0))
    }
    let stride = image.stride * MemoryLayout<Float>.size
    unsafe self.init(data: (planes[0], planes[1], planes[2]), stride: (stride, stride, stride))
  }

  /// The planes of a frame in the order of `layout`; valid while it lives.
  init(_ frame: borrowing Frame, _ layout: PixelLayout) {
    let native = unsafe frame.native
    let data = unsafe [native.pointee.data.0, native.pointee.data.1, native.pointee.data.2]
    let strides = unsafe [
      native.pointee.linesize.0, native.pointee.linesize.1, native.pointee.linesize.2,
    ]
    let order = layout.planes
    func plane(_ index: Int) -> UnsafeMutableRawPointer? {
      unsafe index < order.count ? UnsafeMutableRawPointer(data[order[index]]) : nil
    }
    func stride(_ index: Int) -> Int {
      index < order.count ? Int(strides[order[index]]) : 0
    }
    unsafe self.init(
      data: (plane(0), plane(1), plane(2)),
      stride: (stride(0), stride(1), stride(2))
    )
  }

  /// The first plane of an image alone.
  init(firstPlaneOf image: Image) {
    let stride = image.stride * MemoryLayout<Float>.size
    unsafe self.init(
      data: (UnsafeMutableRawPointer(image.plane(0)), nil, nil),
      stride: (stride, 0, 0)
    )
  }

  /// Whether every row starts where zimg can read it: on a 32-byte boundary.
  var isAligned: Bool {
    func isAligned(_ plane: UnsafeMutableRawPointer?, _ stride: Int) -> Bool {
      UInt(bitPattern: plane) % 32 == 0 && stride % 32 == 0
    }
    return unsafe isAligned(data.0, stride.0) && isAligned(data.1, stride.1)
      && isAligned(data.2, stride.2)
  }
}

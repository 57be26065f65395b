internal import FFmpegC

/// Names and values in the form in which libav takes them.
@safe
struct MediaDictionary: ~Copyable {
  var native: OpaquePointer?

  init(_ entries: [String: String] = [:]) {
    for (key, value) in entries { self[key] = value }
  }

  deinit {
    var native = unsafe native
    unsafe av_dict_free(&native)
  }

  subscript(key: String) -> String? {
    get {
      guard let entry = unsafe av_dict_get(native, key, nil, 0) else { return nil }
      return unsafe String(cString: entry.pointee.value)
    }
    set { unsafe av_dict_set(&native, key, newValue, 0) }
  }
}

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

  /// The name of the first entry, or `nil` if there is none.
  var firstKey: String? {
    guard let entry = unsafe av_dict_get(native, "", nil, AV_DICT_IGNORE_SUFFIX) else { return nil }
    return unsafe String(cString: entry.pointee.key)
  }

  subscript(key: String) -> String? {
    get {
      guard let entry = unsafe av_dict_get(native, key, nil, 0) else { return nil }
      return unsafe String(cString: entry.pointee.value)
    }
    set { unsafe av_dict_set(&native, key, newValue, 0) }
  }
}

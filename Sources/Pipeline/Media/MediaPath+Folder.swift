internal import Glibc

extension MediaPath {
  /// The names of what lies in this folder, without final zeros; none if it cannot be read.
  var entries: [[CChar]] {
    guard let listing = unsafe opendir(bytes) else { return [] }
    defer { unsafe closedir(listing) }
    var names: [[CChar]] = []
    while let entry = unsafe readdir(listing) {
      unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe names.append(Array(UnsafeBufferPointer(start: $0, count: strlen($0))))
        }
      }
    }
    return names
  }
}

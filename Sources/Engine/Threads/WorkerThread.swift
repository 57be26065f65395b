internal import Glibc

/// A thread that runs one closure and is joined when its owner has finished with it.
package final class WorkerThread: @unchecked Sendable {
  private var thread = pthread_t()

  /// Starts a thread.
  package init(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Box(body: body))
    let status = pthread_create(&thread, nil, { Box.run($0) }, box.toOpaque())
    precondition(status == 0, "the system starts a thread")
  }

  /// Waits for the closure to return; called exactly once.
  package func join() {
    pthread_join(thread, nil)
  }
}

private final class Box: Sendable {
  private let body: @Sendable () -> Void

  init(body: @escaping @Sendable () -> Void) {
    self.body = body
  }

  static func run(_ opaque: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let opaque else { return nil }
    Unmanaged<Box>.fromOpaque(opaque).takeRetainedValue().body()
    return nil
  }
}

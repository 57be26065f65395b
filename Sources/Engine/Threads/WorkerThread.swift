internal import Glibc

/// A thread that runs one closure and is joined when its owner has finished with it.
package final class WorkerThread: @unchecked Sendable {
  private var thread = pthread_t()

  /// Starts a thread that the program cannot do without.
  package convenience init(_ body: @escaping @Sendable () -> Void) {
    do throws(EngineError) {
      try self.init(among: 1, body)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Starts one of `count` threads that do the same.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the system starts no more.
  init(among count: Int, _ body: @escaping @Sendable () -> Void) throws(EngineError) {
    let box = Unmanaged.passRetained(Box(body: body))
    let status = pthread_create(&thread, nil, { Box.run($0) }, box.toOpaque())
    guard status == 0 else {
      box.release()
      let reason = String(cString: strerror(status))
      throw .backend(operation: "\(count) threads", reason: "\(reason); --threads takes fewer")
    }
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

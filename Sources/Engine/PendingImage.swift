/// An image that somebody is still working on.
///
/// A frame in flight travels with its `PendingImage`; whoever needs the pixels waits for them, so
/// results leave in the order in which frames entered however many workers there are.
public final class PendingImage: Sendable {
  private struct State {
    var result: Result<Image, EngineError>?
    var observers: [@Sendable () -> Void] = []
  }

  private let state = Monitor(State())

  /// Creates an image that is not ready yet.
  public init() {}

  /// Creates an image that is ready.
  public convenience init(_ image: Image) {
    self.init()
    complete(.success(image))
  }

  /// Blocks until the image is ready and returns it.
  ///
  /// - Throws: The error that ended the work on it.
  public func wait() throws(EngineError) -> Image {
    try state.wait { $0.result }.get()
  }

  /// Calls `body` once when the image is ready, or at once if it is; on the thread that made it ready.
  public func whenReady(_ body: @escaping @Sendable () -> Void) {
    let isReady = state.withLock { state in
      if state.result == nil { state.observers.append(body) }
      return state.result != nil
    }
    if isReady { body() }
  }

  /// Delivers the image, or the error in its place; called exactly once.
  public func complete(_ result: Result<Image, EngineError>) {
    let observers = state.withLock { state in
      precondition(state.result == nil, "a pending image is completed once")
      state.result = result
      defer { state.observers = [] }
      return state.observers
    }
    state.wakeAll()
    for observer in observers { observer() }
  }
}

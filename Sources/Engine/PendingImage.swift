/// An image that somebody is still working on.
///
/// A frame in flight travels with its `PendingImage`; whoever needs the pixels waits for them, so
/// results leave in the order in which frames entered however many workers there are.
public final class PendingImage: Sendable {
  private let result = Monitor<Result<Image, EngineError>?>(nil)

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
    try result.wait { $0 }.get()
  }

  /// Delivers the image, or the error in its place; called exactly once.
  public func complete(_ result: Result<Image, EngineError>) {
    self.result.withLock { state in
      precondition(state == nil, "a pending image is completed once")
      state = result
    }
    self.result.wakeAll()
  }
}

internal import EngineC

/// What the machine's arithmetic units can do, measured: the yardstick for the convolutions.
public enum MachinePeak {
  /// Operations per second (a product with its addition counts two) in a precision, by `threads` threads
  /// together, from registers alone; nil where the CPU has no instructions for it.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the system starts fewer threads.
  public static func measure(
    threads: Int,
    precision: Precision,
    seconds: Double = 0.3,
  ) throws(EngineError) -> Double? {
    let type = precision.native
    let rate = try Parallel.rate(threads: threads, seconds: seconds) { _ in
      var sink: Float = 0
      return { enginec_product_burst(type, &sink) }
    }
    return rate > 0 ? rate : nil
  }
}

extension Precision {
  /// The C kernels' code for what is multiplied.
  fileprivate var native: enginec_sample_type {
    switch self {
    case .float32: enginec_float32
    case .bfloat16: enginec_bfloat16
    case .int8: enginec_uint8
    }
  }
}

/// Runs the same work on several threads for a while.
enum Parallel {
  /// The sum over all threads of what `work` returned, divided by the time it took.
  ///
  /// `work` is called once on each thread to prepare; what it returns is called repeatedly.
  ///
  /// - Throws: ``EngineError/backend(operation:reason:)`` when the system starts fewer threads.
  static func rate(
    threads: Int,
    seconds: Double,
    _ work: @escaping @Sendable (Int) -> () -> Double,
  ) throws(EngineError) -> Double {
    let total = Monitor(0.0)
    var workers: [WorkerThread] = []
    let start = Result { () throws(EngineError) in
      for index in 0..<threads {
        let worker = try WorkerThread(among: threads) {
          let rate = Self.rate(of: work, on: index, seconds: seconds)
          total.withLock { $0 += rate }
        }
        workers.append(worker)
      }
    }
    for worker in workers { worker.join() }
    try start.get()
    return total.withLock { $0 }
  }

  private static func rate(
    of work: (Int) -> () -> Double,
    on thread: Int,
    seconds: Double,
  ) -> Double {
    enginec_use_one_thread()
    let body = work(thread)
    _ = body()
    let start = monotonicSeconds()
    var (amount, elapsed) = (0.0, 0.0)
    while elapsed < seconds {
      amount += body()
      elapsed = monotonicSeconds() - start
    }
    return amount / elapsed
  }
}

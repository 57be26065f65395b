internal import EngineC

/// What the machine's arithmetic units can do, measured: the yardstick for the convolutions.
public enum MachinePeak {
  /// Floating-point operations per second (a multiply-add counts two) in single precision, by
  /// `threads` threads together, from registers alone.
  public static func measure(threads: Int, seconds: Double = 0.3) -> Double {
    Parallel.rate(threads: threads, seconds: seconds) { _ in
      var sink: Float = 0
      return { enginec_fma_burst(&sink) }
    }
  }
}

/// Runs the same work on several threads for a while.
enum Parallel {
  /// The sum over all threads of what `work` returned, divided by the time it took.
  ///
  /// `work` is called once on each thread to prepare; what it returns is called repeatedly.
  static func rate(
    threads: Int,
    seconds: Double,
    _ work: @escaping @Sendable (Int) -> () -> Double,
  ) -> Double {
    let total = Monitor(0.0)
    let workers = (0..<threads).map { index in
      WorkerThread {
        enginec_use_one_thread()
        let body = work(index)
        _ = body()
        let start = monotonicSeconds()
        var (amount, elapsed) = (0.0, 0.0)
        while elapsed < seconds {
          amount += body()
          elapsed = monotonicSeconds() - start
        }
        let rate = amount / elapsed
        total.withLock { $0 += rate }
      }
    }
    for worker in workers { worker.join() }
    return total.withLock { $0 }
  }
}

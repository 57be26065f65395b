import Foundation
import TestSupport
import Testing

@testable import Engine

/// Kernels made by several threads at once.
@Suite struct ConcurrentKernelTests {
  private static let trailing = Convolution.Padding(before: 0, after: 1)

  // Unless one is made after the other, oneDNN 2.6 mixes up a few of these thousand in five of six runs.
  @Test(.enabled(if: floatPrecisions.contains(.bfloat16)))
  func precisionsAreNotMixedUp() throws {
    let steps = (5..<35).map { Self.step(inputs: 17, width: $0) }
    let other = Repetition {
      for step in steps {
        let twoRows = 2 * step.output.width * step.output.channels * MemoryLayout<Float>.size
        _ = try? OneDNNBackend(precision: .bfloat16, stripBudget: twoRows).memory(of: step)
      }
    }
    defer { other.stop() }
    for inputs in stride(from: 3, to: 31, by: 2) {
      for width in 14..<94 {
        let step = Self.step(inputs: inputs, width: width)
        #expect(try Self.difference(in: step) <= Tolerance.float32Accumulation, "\(step.input)")
      }
    }
    #expect(other.count > 10)
  }

  private static func step(inputs: Int, width: Int) -> ConvolutionStep {
    var random = SeededGenerator(seed: 42)
    let scale = 1 / Float(4 * inputs).squareRoot()
    let convolution = Convolution(
      inputChannels: inputs,
      outputChannels: 33,
      kernel: 2,
      padding: trailing,
      weights: Parameters(random.floats(33 * inputs * 4).map { $0 * scale }),
      bias: random.floats(33),
    )
    let input = Shape(height: 6, width: width, channels: inputs)
    return ConvolutionStep(convolution: convolution, input: input)
  }

  private static func difference(in step: ConvolutionStep) throws -> Float {
    var random = SeededGenerator(seed: 7)
    let x = random.floats(step.input.count)
    let actual = try run(OneDNNBackend(), inputs: [(step.input, x)]) { graph, values in
      graph.convolution(values[0], step.convolution)
    }
    return maximumDifference(
      actual,
      try Reference.convolution(x, step.input, step.convolution)
    )
  }
}

/// Work that a thread of its own does again and again.
private final class Repetition: @unchecked Sendable {
  private let lock = NSCondition()
  private var isWanted = true
  private var isOver = false
  private var rounds = 0

  init(_ body: @escaping @Sendable () -> Void) {
    Thread.detachNewThread { [self] in
      while isAnotherWanted() { body() }
      lock.withLock {
        isOver = true
        lock.broadcast()
      }
    }
  }

  /// How often it was begun.
  var count: Int { lock.withLock { rounds } }

  /// Returns when the last round is over.
  func stop() {
    lock.withLock {
      isWanted = false
      while !isOver { lock.wait() }
    }
  }

  private func isAnotherWanted() -> Bool {
    lock.withLock {
      rounds += 1
      return isWanted
    }
  }
}

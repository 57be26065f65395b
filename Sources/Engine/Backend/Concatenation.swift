internal import EngineC

/// Puts the channels of several pictures side by side, as many pixels at a time as the caller likes.
struct Concatenation: Sendable {
  private struct Part {
    let firstChannel: Int
    let channels: Int
    let type: SampleType
  }

  private let parts: [Part]
  private let channels: Int
  private let resultType: SampleType
  private let stored: StepFactors?

  /// Parts that are stored in 8 bits are floats before.
  init(_ parts: [(channels: Int, type: SampleType)], _ resultType: SampleType) {
    var first = 0
    self.parts = parts.map { part in
      defer { first += part.channels }
      return Part(firstChannel: first, channels: part.channels, type: part.type)
    }
    channels = first
    self.resultType = resultType
    if case .uint8(let steps) = resultType { stored = StepFactors(steps) } else { stored = nil }
  }

  /// The bytes of a pixel of the result.
  var pixelByteCount: Int { channels * resultType.byteCount }

  /// The bytes of a pixel of a part.
  func pixelByteCount(_ part: Int) -> Int { parts[part].channels * parts[part].type.byteCount }

  /// Writes one part of some pixels, of which `result` points at the first.
  func place(
    _ number: Int,
    _ source: UnsafeRawPointer,
    pixelCount: Int,
    in result: UnsafeMutableRawPointer,
  ) {
    let part = parts[number]
    guard let stored else {
      enginec_place_channels(
        result,
        resultType.native,
        channels,
        part.firstChannel,
        source,
        part.type.native,
        pixelCount,
        part.channels,
      )
      return
    }
    let bytes = result.assumingMemoryBound(to: UInt8.self) + part.firstChannel
    stored.gains.withUnsafeBufferPointer { gains in
      stored.zeros.withUnsafeBufferPointer { zeros in
        enginec_place_steps(
          bytes,
          channels,
          source.floats,
          pixelCount,
          part.channels,
          gains.baseAddress.unsafelyUnwrapped + part.firstChannel,
          zeros.baseAddress.unsafelyUnwrapped + part.firstChannel,
        )
      }
    }
  }
}

import Foundation
import TestSupport
import Testing

@testable import Engine

@Suite struct SafetensorsTests {
  @Test func readsSinglePrecision() throws {
    let values: [Float] = [0, -0.0, 1, -2.5, .pi, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    let store = try load(
      safetensors(#"{"w":{"dtype":"F32","shape":[7],"data_offsets":[0,28]}}"#, bytes(of: values))
    )

    #expect(try store.weights("w").dimensions == [7])
    #expect(try store.weights("w").values.map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test func readsHalfPrecision() throws {
    let bits: [UInt16] = [0x0000, 0x3C00, 0xC000, 0x7BFF, 0xFBFF, 0x0400, 0x0001, 0x83FF, 0x3555]
    let store = try load(
      safetensors(#"{"w":{"dtype":"F16","shape":[3,3],"data_offsets":[0,18]}}"#, littleEndian(bits))
    )

    let expected: [Float] = [
      0, 1, -2, 65504, -65504, 0x1p-14, 0x1p-24, -0x1.FF8p-15, 0x1.554p-2,
    ]
    #expect(try store.weights("w").values == expected)
  }

  @Test func readsBrainFloat() throws {
    let bits: [UInt16] = [0x0000, 0x3F80, 0xC020, 0x4049, 0x7F7F, 0x0001]
    let store = try load(
      safetensors(
        #"{"w":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}}"#,
        littleEndian(bits)
      )
    )

    let expected: [Float] = [0, 1, -2.5, 3.140625, 0x1.FEp127, 0x1p-133]
    #expect(try store.weights("w").values == expected)
  }

  @Test func readsDoublePrecision() throws {
    let bits = [1, -0.1, 1e-30].map(\.bitPattern)
    let store = try load(
      safetensors(#"{"w":{"dtype":"F64","shape":[3],"data_offsets":[0,24]}}"#, littleEndian(bits))
    )

    #expect(try store.weights("w").values == [1, -0.1, 1e-30])
  }

  @Test func readsScalarsAndEmptyTensors() throws {
    let header = """
      {"none":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]},
      "scalar":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
      "between":{"dtype":"F16","shape":[7,0],"data_offsets":[4,4]},
      "last":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}
      """
    let store = try load(safetensors(header, bytes(of: [7, 8])))

    #expect(try store.weights("scalar").dimensions.isEmpty)
    #expect(try store.weights("scalar").values == [7])
    #expect(try store.weights("none").dimensions == [0, 5])
    #expect(try store.weights("none").values.isEmpty)
    #expect(try store.weights("between").values.isEmpty)
    #expect(try store.weights("last").values == [8])
  }

  @Test func findsTensorsWhateverTheirOrderInTheHeader() throws {
    let header = """
      {"z":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},\
      "a":{"shape":[2],"data_offsets":[0,8],"dtype":"F32"}}
      """
    let store = try load(safetensors(header, bytes(of: [1, 2, 3])))

    #expect(store.names == ["a", "z"])
    #expect(try store.weights("a").values == [1, 2])
    #expect(try store.weights("z").values == [3])
  }

  @Test func readsMetadata() throws {
    let store = try load(
      safetensors(#"{"__metadata__":{"network":"compact","k\t":"\u00fc \"v\""}}"#)
    )

    #expect(store.metadata == ["network": "compact", "k\t": "ü \"v\""])
    #expect(store.names.isEmpty)
  }

  @Test func unescapesNames() throws {
    let name = #"a\u0062\"\\\/\b\f\n\r\t\u00E9\uD83D\uDE00é"#
    let store = try load(
      safetensors(
        "{\"\(name)\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        bytes(of: [9])
      )
    )

    let plain = "ab\"\\/\u{8}\u{C}\n\r\t\u{E9}\u{1F600}\u{E9}"
    #expect(store.names == [plain])
    #expect(try store.weights(plain).values == [9])
  }

  // Swift's strings hold composed and decomposed letters for equal; names of tensors are bytes.
  @Test func tellsComposedFromDecomposedNames() throws {
    let header = """
      {"\u{E9}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\
      "e\u{301}":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}
      """
    let store = try load(safetensors(header, bytes(of: [1, 2])))

    #expect(try store.weights("\u{E9}").values == [1])
    #expect(try store.weights("e\u{301}").values == [2])
  }

  @Test func allowsSpaceAroundEverything() throws {
    let header = """
      { "w" :\t{ "dtype" : "F32" ,\r\n"shape" : [ 1 , 1 ] , "data_offsets" : [ 0 , 4 ] } }  \n
      """
    #expect(try load(safetensors(header, bytes(of: [3]))).weights("w").values == [3])
  }

  @Test func keepsIntegersButNotAsWeights() throws {
    let store = try load(
      safetensors(
        #"{"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#,
        littleEndian([7 as UInt64])
      )
    )

    #expect(store.contains("n"))
    expectModelError("holds I64") { try store.weights("n") }
  }

  @Test func saysWhichTensorIsMissingOrMisshapen() throws {
    let store = try load(
      safetensors(#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, bytes(of: [1, 2]))
    )

    #expect(!store.contains("v"))
    expectModelError("tensor 'v' is missing") { try store.weights("v") }
    expectModelError("tensor 'w' has the shape [2], not [1, 2]") {
      try store.weights("w", dimensions: [1, 2])
    }
  }
}

/// Loads a file of these bytes.
func load(_ bytes: [UInt8]) throws -> WeightStore {
  let folder = try TemporaryFolder()
  let path = folder.path("good.safetensors")
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  return try WeightStore(path: path)
}

/// A safetensors file; `length` is what it claims of its header, by default the truth.
func safetensors(_ header: String, _ data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  safetensors(Array(header.utf8), data, length: length)
}

func safetensors(_ header: [UInt8], _ data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  littleEndian([length ?? UInt64(header.count)]) + header + data
}

func bytes(of floats: [Float]) -> [UInt8] { littleEndian(floats.map(\.bitPattern)) }

func littleEndian(_ numbers: [some FixedWidthInteger]) -> [UInt8] {
  numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
}

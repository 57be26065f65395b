/// The ways in which a safetensors file can be wrong, each with words of the reason that is given.
extension SafetensorsRefusalTests {
  static let badFiles: [BadFile] =
    [
      BadFile("empty", "too short", []),
      BadFile("seven bytes", "too short", [16, 0, 0, 0, 0, 0, 0]),
      BadFile("header of no bytes", "ends inside its header", safetensors("", data)),
      BadFile(
        "header past the end",
        "ends inside its header",
        safetensors(good, data, length: 1000)
      ),
      BadFile(
        "header length 2⁶³",
        "claims 9223372036854775808 bytes",
        safetensors(good, length: 1 << 63)
      ),
      BadFile(
        "header length 2⁶⁴ − 1",
        "claims 18446744073709551615 bytes",
        safetensors(good, length: .max)
      ),
      BadFile(
        "header above the limit",
        "claims 16777217 bytes",
        safetensors(good, length: 16 << 20 + 1)
      ),
      BadFile(
        "web page",
        "it is a web page",
        Array("<!DOCTYPE html><html><body>Access denied</body></html>".utf8)
      ),
      BadFile(
        "pointer to large storage",
        "'git lfs pull' fetches that",
        Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".utf8)
      ),
    ] + badJSON + badTensors + badLayouts

  private static let badJSON: [BadFile] = [
    BadFile(
      "not UTF-8",
      "not UTF-8",
      safetensors(Array("{\"".utf8) + [0xFF, 0xFE] + Array("\":1}".utf8))
    ),
    BadFile(
      "byte-order mark",
      "does not begin with '{'",
      safetensors([0xEF, 0xBB, 0xBF] + Array(good.utf8), data)
    ),
    BadFile("leading space", "does not begin with '{'", safetensors(" " + good, data)),
    BadFile("array", "does not begin with '{'", safetensors("[1,2,3]")),
    BadFile("not JSON", "not valid JSON at byte 1", safetensors("{this is not json}")),
    BadFile("unclosed object", "where '}' belongs", safetensors("{\"a\":\(tensor())", data)),
    BadFile("unclosed string", "in a string", safetensors("{\"a")),
    BadFile("control byte in a string", "in a string", safetensors("{\"a\n\":\(tensor())}", data)),
    BadFile("comma at the end", "where '\"' belongs", safetensors("{\"a\":\(tensor()),}", data)),
    BadFile("trailing garbage", "after the header", safetensors(good + "xx", data)),
    BadFile("two objects", "after the header", safetensors(good + "{}", data)),
    BadFile("zero byte at the end", "after the header", safetensors(good + "\0", data)),
    BadFile("unknown escape", "unknown escape", safetensors("{\"\\x61\":\(tensor())}", data)),
    BadFile("short escape", "malformed \\u escape", safetensors("{\"\\u61\":\(tensor())}", data)),
    BadFile(
      "signed escape",
      "malformed \\u escape",
      safetensors("{\"\\u+061\":\(tensor())}", data)
    ),
    BadFile(
      "lone surrogate",
      "half a surrogate pair",
      safetensors("{\"\\ud800\":\(tensor())}", data)
    ),
    BadFile(
      "two lead surrogates",
      "half a surrogate pair",
      safetensors("{\"\\ud800\\ud800\":\(tensor())}", data)
    ),
    BadFile(
      "duplicate key",
      "'a' appears twice",
      safetensors("{\"a\":\(tensor()),\"a\":\(tensor())}", data)
    ),
    BadFile(
      "duplicate key, escaped",
      "'a' appears twice",
      safetensors("{\"a\":\(tensor()),\"\\u0061\":\(tensor())}", data)
    ),
    BadFile(
      "duplicate metadata",
      "'__metadata__' appears twice",
      safetensors("{\"__metadata__\":{},\"__metadata__\":{},\"a\":\(tensor())}", data)
    ),
    BadFile(
      "duplicate field",
      "'shape' appears twice",
      safetensors(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[40],\"shape\":[40],\"data_offsets\":[0,160]}}",
        data
      )
    ),
    BadFile(
      "metadata is a string",
      "__metadata__ is no object",
      safetensors("{\"__metadata__\":\"x\"}")
    ),
    BadFile(
      "metadata holds a number",
      "other than strings",
      safetensors("{\"__metadata__\":{\"k\":1}}")
    ),
    BadFile(
      "metadata is nested",
      "other than strings",
      safetensors("{\"__metadata__\":{\"k\":{\"x\":\"y\"}}}")
    ),
    BadFile(
      "deeply nested objects",
      "nested too deeply",
      safetensors(
        String(repeating: "{\"a\":", count: 100_000) + "1" + String(repeating: "}", count: 100_000)
      )
    ),
    BadFile(
      "deeply nested arrays",
      "nested too deeply",
      safetensors(
        "{\"a\":" + String(repeating: "[", count: 400_000) + String(repeating: "]", count: 400_000)
          + "}"
      )
    ),
  ]

  private static let badTensors: [BadFile] = [
    BadFile("tensor is a number", "needs exactly", safetensors("{\"a\":1}")),
    BadFile(
      "field missing",
      "needs exactly",
      safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[40]}}", data)
    ),
    BadFile(
      "field too many",
      "needs exactly",
      safetensors(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[40],\"data_offsets\":[0,160],\"x\":1}}",
        data
      )
    ),
    BadFile("null", "where a value belongs", safetensors("{\"a\":\(tensor(type: "null"))}", data)),
    BadFile(
      "unknown dtype",
      "tensor 'a' has an unknown dtype",
      safetensors("{\"a\":\(tensor(type: #""F128""#))}", data)
    ),
    BadFile(
      "dtype in lower case",
      "unknown dtype",
      safetensors("{\"a\":\(tensor(type: #""f32""#))}", data)
    ),
    BadFile(
      "dtype is a number",
      "unknown dtype",
      safetensors("{\"a\":\(tensor(type: "32"))}", data)
    ),
    BadFile(
      "shape is a number",
      "malformed shape",
      safetensors("{\"a\":\(tensor(shape: "40"))}", data)
    ),
    BadFile(
      "nine dimensions",
      "malformed shape",
      safetensors("{\"a\":\(tensor(shape: "[1,1,1,1,1,1,1,1,40]"))}", data)
    ),
    BadFile(
      "shape and bytes differ",
      "does not fit its bytes",
      safetensors("{\"a\":\(tensor(shape: "[39]"))}", data)
    ),
    BadFile(
      "shape overflows",
      "does not fit its bytes",
      safetensors("{\"a\":\(tensor(shape: "[4294967296,4294967296,4]"))}", data)
    ),
    BadFile(
      "shape wraps to the right count",
      "does not fit its bytes",
      safetensors("{\"a\":\(tensor(shape: "[2305843009213693957,8]"))}", data)
    ),
    BadFile(
      "byte count wraps to none",
      "does not fit its bytes",
      safetensors("{\"a\":\(tensor(shape: "[4611686018427387904]", offsets: "[0,0]"))}")
    ),
    BadFile(
      "negative dimensions",
      "where a value belongs",
      safetensors("{\"a\":\(tensor(shape: "[-4,-10]"))}", data)
    ),
    BadFile(
      "negative offset",
      "where a value belongs",
      safetensors("{\"a\":\(tensor(offsets: "[-160,0]"))}", data)
    ),
    BadFile(
      "fraction",
      "where ']' belongs",
      safetensors("{\"a\":\(tensor(offsets: "[0,160.0]"))}", data)
    ),
    BadFile(
      "exponent",
      "where ']' belongs",
      safetensors("{\"a\":\(tensor(shape: "[4e1]"))}", data)
    ),
    BadFile(
      "leading zero",
      "out of range or malformed",
      safetensors("{\"a\":\(tensor(shape: "[040]"))}", data)
    ),
    BadFile(
      "offset above 2⁶⁴",
      "out of range or malformed",
      safetensors("{\"a\":\(tensor(offsets: "[0,18446744073709551776]"))}", data)
    ),
    BadFile(
      "offsets are strings",
      "malformed data_offsets",
      safetensors("{\"a\":\(tensor(offsets: #"["0","160"]"#))}", data)
    ),
    BadFile(
      "offset is a boolean",
      "where a value belongs",
      safetensors("{\"a\":\(tensor(offsets: "[false,160]"))}", data)
    ),
    BadFile(
      "three offsets",
      "malformed data_offsets",
      safetensors("{\"a\":\(tensor(offsets: "[0,80,160]"))}", data)
    ),
    BadFile(
      "begin after end",
      "malformed data_offsets",
      safetensors("{\"a\":\(tensor(offsets: "[160,0]"))}", data)
    ),
  ]

  private static let badLayouts: [BadFile] = [
    BadFile(
      "overlap",
      "tensor 'b' overlaps",
      safetensors(
        """
        {"a":\(tensor(shape: "[30]", offsets: "[0,120]")),\
        "b":\(tensor(shape: "[30]", offsets: "[40,160]"))}
        """,
        data
      )
    ),
    BadFile(
      "one range twice",
      "overlaps",
      safetensors("{\"a\":\(tensor()),\"b\":\(tensor())}", data)
    ),
    BadFile(
      "hole",
      "tensor 'b' leaves a hole",
      safetensors(
        """
        {"b":\(tensor(shape: "[10]", offsets: "[120,160]")),\
        "a":\(tensor(shape: "[10]", offsets: "[0,40]"))}
        """,
        data
      )
    ),
    BadFile(
      "hole at the start",
      "tensor 'a' leaves a hole",
      safetensors("{\"a\":\(tensor(shape: "[38]", offsets: "[8,160]"))}", data)
    ),
    BadFile(
      "truncated by a byte",
      "truncated: 1 bytes are missing",
      safetensors(good, data.dropLast())
    ),
    BadFile("no data", "truncated: 160 bytes are missing", safetensors(good)),
    BadFile(
      "trailing bytes",
      "22 bytes follow the last tensor",
      safetensors(good, data + [UInt8](repeating: 0, count: 22))
    ),
    BadFile(
      "too many tensors",
      "the limit is 4096",
      safetensors(
        "{"
          + (0..<4097).map { "\"t\($0)\":\(tensor(shape: "[0]", offsets: "[0,0]"))" }
          .joined(separator: ",") + "}"
      )
    ),
    BadFile(
      "NaN",
      "tensor 'a' holds NaN or infinity",
      safetensors(good, data.dropLast(4) + bytes(of: [.nan]))
    ),
    BadFile(
      "infinity",
      "tensor 'a' holds NaN or infinity",
      safetensors(good, bytes(of: [-.infinity]) + data.dropFirst(4))
    ),
    BadFile(
      "half infinity",
      "holds NaN or infinity",
      safetensors(
        "{\"a\":\(tensor(type: #""F16""#, shape: "[1]", offsets: "[0,2]"))}",
        [0x00, 0x7C]
      )
    ),
    BadFile(
      "half NaN",
      "holds NaN or infinity",
      safetensors(
        "{\"a\":\(tensor(type: #""F16""#, shape: "[1]", offsets: "[0,2]"))}",
        [0x01, 0xFC]
      )
    ),
    BadFile(
      "double beyond single precision",
      "holds NaN or infinity",
      safetensors(
        "{\"a\":\(tensor(type: #""F64""#, shape: "[1]", offsets: "[0,8]"))}",
        littleEndian([1e300.bitPattern])
      )
    ),
  ]
}

extension String {
  /// The text with control characters escaped, so that a terminal can show it.
  package var printable: String {
    unicodeScalars.map { scalar in
      scalar.properties.generalCategory == .control
        ? scalar.escaped(asASCII: true) : String(scalar)
    }.joined()
  }
}

internal import Glibc

extension Double {
  /// The number with a fixed count of decimals and a point, whatever the locale.
  func formatted(_ decimals: Int) -> String {
    let power = pow(10, Double(decimals))
    let scaled = Int64((magnitude * power).rounded())
    let sign = self < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(scaled)" }
    let fraction = "\(scaled % Int64(power))"
    let zeros = String(repeating: "0", count: decimals - fraction.count)
    return "\(sign)\(scaled / Int64(power)).\(zeros)\(fraction)"
  }
}

extension Duration {
  /// The whole duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }

  /// Hours, minutes and seconds, as in `1:02:03` or `2:03`.
  var clock: String {
    let total = Int(seconds.rounded())
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    let two = { (n: Int) in n < 10 ? "0\(n)" : "\(n)" }
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
  }
}

extension Int {
  /// The number with what is counted, as in `1 frame` or `2 frames`.
  func counted(_ noun: String) -> String { self == 1 ? "1 \(noun)" : "\(self) \(noun)s" }
}

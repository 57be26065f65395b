// swift-tools-version: 6.2
import PackageDescription

// A package of its own: every target is an executable whose main function is libFuzzer's.
let package = Package(
  name: "Fuzzing",
  dependencies: [.package(name: "vsr", path: "..")],
  targets: ["FuzzSafetensors", "FuzzZip", "FuzzPickle"].map { name in
    .executableTarget(
      name: name,
      dependencies: [.product(name: "Engine", package: "vsr")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])],
    )
  },
  swiftLanguageModes: [.v6],
)

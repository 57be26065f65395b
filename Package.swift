// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

// Our own C is optimised in debug builds too: the kernels are what tests spend their time in.
let kernels: [CSetting] = [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]

let package = Package(
  name: "vsr",
  products: [
    .executable(name: "vsr", targets: ["vsr"]),
    .library(name: "Engine", targets: ["Engine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    .target(
      name: "FFmpegC",
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: ["avformat", "avcodec", "avfilter", "avutil", "swscale", "zimg"]
        .map { .linkedLibrary($0) },
    ),
    .target(
      name: "EngineC",
      cSettings: kernels,
      linkerSettings: ["dnnl", "openblas", "gomp", "m"].map { .linkedLibrary($0) },
    ),
    .target(name: "Engine", dependencies: ["EngineC"], swiftSettings: strict),
    .target(
      name: "Pipeline",
      dependencies: ["FFmpegC", "Engine"],
      swiftSettings: strict + [.strictMemorySafety()],
    ),
    .executableTarget(
      name: "vsr",
      dependencies: [
        "Engine", "Pipeline",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict,
    ),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(
      name: "EngineTests",
      dependencies: ["Engine", "EngineC", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: strict,
    ),
    .testTarget(
      name: "PipelineTests",
      dependencies: ["Pipeline", "Engine", "FFmpegC", "TestSupport"],
      swiftSettings: strict,
    ),
    .testTarget(
      name: "VSRTests",
      dependencies: ["vsr", "Engine", "TestSupport"],
      swiftSettings: strict,
    ),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu2x,
)

// swift-tools-version:6.0
import Foundation
import PackageDescription

// What is generated lies in .generated (scripts/generate.sh), and is no part of the repository.
#if os(Linux)
// The library that cargo built, of this machine.
let library = ProcessInfo.processInfo.environment["PARVIS_LIBRARY_DIR"] ?? "../../target/debug"
let foreign: Target = .systemLibrary(name: "parvis_ffiFFI", path: ".generated/parvis_ffiFFI")
let link: [LinkerSetting] = [
    .linkedLibrary("parvis_ffi"),
    .unsafeFlags(["-L\(library)", "-Xlinker", "-rpath", "-Xlinker", library]),
    // Swift 6.0's Observation on Linux lacks a symbol that it uses to say that a lock is broken.
    .unsafeFlags(["-Xlinker", "--allow-shlib-undefined"]),
]
#else
// For devices and simulators, made by scripts/xcframework.sh.
let foreign: Target = .binaryTarget(name: "parvis_ffiFFI", path: ".generated/parvis_ffi.xcframework")
let link: [LinkerSetting] = []
#endif

// Apps may have it: what they see without an import of `ParvisFFI` is all that there is.
#if compiler(>=6.1)
let ofApps: [SwiftSetting] = [.enableUpcomingFeature("MemberImportVisibility")]
#else
let ofApps: [SwiftSetting] = [.enableExperimentalFeature("MemberImportVisibility")]
#endif

let package = Package(
    name: "Parvis",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "Parvis", targets: ["Parvis"]),
        .library(name: "ParvisApple", targets: ["ParvisApple"]),
    ],
    targets: [
        foreign,
        // Generated: its async protocols do not compile in language mode 6 (uniffi 0.32).
        .target(
            name: "ParvisFFI", dependencies: ["parvis_ffiFFI"], path: ".generated/ParvisFFI",
            swiftSettings: [.swiftLanguageMode(.v5)], linkerSettings: link
        ),
        .target(name: "Parvis", dependencies: ["ParvisFFI"]),
        .target(name: "ParvisApple", dependencies: ["Parvis"]),
        .testTarget(name: "ParvisTests", dependencies: ["Parvis", "ParvisApple"], swiftSettings: ofApps),
    ]
)

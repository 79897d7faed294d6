// swift-tools-version:6.0
import PackageDescription

let package = Package(
    name: "Meet",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "MeetModels", targets: ["MeetModels"]),
        .library(name: "MeetUI", targets: ["MeetUI"]),
    ],
    dependencies: [.package(name: "Parvis", path: "../../bindings/swift")],
    targets: [
        // What the app does, without a screen: compiled and tested on Linux too.
        .target(
            name: "MeetModels",
            dependencies: [
                .product(name: "Parvis", package: "Parvis"), .product(name: "ParvisApple", package: "Parvis"),
            ]
        ),
        // What it looks like: nothing is left of it where there is no SwiftUI.
        .target(
            name: "MeetUI",
            dependencies: ["MeetModels", .product(name: "ParvisApple", package: "Parvis")]
        ),
        .testTarget(name: "MeetModelsTests", dependencies: ["MeetModels"]),
    ]
)

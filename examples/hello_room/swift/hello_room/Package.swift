// swift-tools-version:6.0
import PackageDescription

let package = Package(
    name: "hello_room",
    platforms: [.macOS(.v14)],
    dependencies: [.package(path: "../../../../bindings/swift")],
    targets: [.executableTarget(name: "hello_room", dependencies: [.product(name: "Parvis", package: "swift")])]
)

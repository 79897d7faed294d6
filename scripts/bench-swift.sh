#!/usr/bin/env bash
# bench-swift.sh CACHE: prints what a call over the foreign-function boundary costs in Swift, against what is wanted; in the folder
# of Debian 13 that scripts/test-swift.sh uses.
set -euo pipefail
cache=$(realpath -m "${1:?folder}")
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
build=$cache/swift-bench
mkdir -p "$build"
scripts/swift-root.sh make "$cache/swift-root"
cargo build -q -p parvis-bindgen
scripts/app-library.sh --features silent,bench
bindings/swift/scripts/generate.sh "$target/app/libparvis_ffi.so" "$target/debug/parvis-bindgen" "$build/generated"
in_swift() { # command...
  scripts/swift-root.sh run "$cache/swift-root" --see "$target" --see "$build" -- "$@"
}
in_swift swiftc -O -swift-version 5 -suppress-warnings -module-name bench -I "$build/generated/parvis_ffiFFI" \
  "$build/generated/ParvisFFI/ParvisFFI.swift" bindings/swift/Bench/main.swift -o "$build/bench" \
  -L "$target/app" -lparvis_ffi -Xlinker -rpath -Xlinker "$target/app" -Xlinker --allow-shlib-undefined
in_swift "$build/bench"

#!/usr/bin/env bash
# xcframework.sh: makes .generated/parvis_ffi.xcframework and the generated sources, for iPhones, simulators and Macs.
# Needs a Mac with Xcode 16, and: rustup target add aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios
# aarch64-apple-darwin x86_64-apple-darwin; brew install cmake nasm meson ninja pkg-config. It has not been run so far.
set -euo pipefail
cd "$(dirname "$0")/../../.."
[ "$(uname)" = Darwin ] || { echo "xcframework: this needs a Mac with Xcode" >&2; exit 1; }
generated=bindings/swift/.generated
target=${CARGO_TARGET_DIR:-target}
export PATH=$PWD/scripts/app-codecs:$PATH
export IPHONEOS_DEPLOYMENT_TARGET=17.0 MACOSX_DEPLOYMENT_TARGET=14.0

build() { # target
  cargo build --profile app --package parvis-ffi --features silent --target "$1"
}
join() { # name targets...: one library of several processors
  local name=$1 libraries=(); shift
  for one in "$@"; do libraries+=("$target/$one/app/libparvis_ffi.a"); done
  mkdir -p "$generated/$name"
  lipo -create "${libraries[@]}" -output "$generated/$name/libparvis_ffi.a"
}

for one in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do
  build "$one"
done
cargo build --package parvis-bindgen
host=$(rustc -vV | sed -n 's/^host: //p')
bindings/swift/scripts/generate.sh "$target/$host/app/libparvis_ffi.dylib" "$target/debug/parvis-bindgen"

join ios aarch64-apple-ios
join simulator aarch64-apple-ios-sim x86_64-apple-ios
join macos aarch64-apple-darwin x86_64-apple-darwin
# A folder of its own: Xcode puts the headers of all frameworks side by side.
mkdir -p "$generated/headers/parvis_ffiFFI"
cp "$generated"/parvis_ffiFFI/* "$generated/headers/parvis_ffiFFI"
rm -rf "$generated/parvis_ffi.xcframework"
xcodebuild -create-xcframework \
  -library "$generated/ios/libparvis_ffi.a" -headers "$generated/headers" \
  -library "$generated/simulator/libparvis_ffi.a" -headers "$generated/headers" \
  -library "$generated/macos/libparvis_ffi.a" -headers "$generated/headers" \
  -output "$generated/parvis_ffi.xcframework"
rm -rf "$generated"/{ios,simulator,macos,headers}
echo "$generated/parvis_ffi.xcframework is there: open bindings/swift/Package.swift"

#!/usr/bin/env bash
# android-libraries.sh [FOLDER]: builds the library for Android's processors with cargo-ndk into FOLDER, by default where the
# Gradle build of bindings/kotlin/sdk-android looks; pages of 16 KB are what newer phones have.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-bindings/kotlin/sdk-android/jniLibs}
command -v cargo-ndk >/dev/null || { echo "android-libraries: cargo install cargo-ndk" >&2; exit 1; }
: "${ANDROID_NDK_HOME:?the folder of the NDK, 28 or later}"
rustup target add aarch64-linux-android armv7-linux-androideabi x86_64-linux-android
export PATH=$PWD/scripts/app-codecs:$PATH
export RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-z,max-page-size=16384 -C link-arg=-Wl,--icf=all -C link-arg=-Wl,-z,pack-relative-relocs"
cargo ndk --platform 31 -t arm64-v8a -t armeabi-v7a -t x86_64 --output-dir "$out" build --profile app -p parvis-ffi --features silent

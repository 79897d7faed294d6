#!/usr/bin/env bash
# test-android.sh CACHE: compiles the Android half of the Kotlin SDK and the example app as far as Maven Central allows; tests
# on a JVM what needs no Android, the app's models with a real service too, and draws its screens. scripts/test-kotlin.sh does so
# too, with all the rest.
set -euo pipefail
cache=${1:?folder}
cd "$(dirname "$0")/.."
scripts/packages.sh --kotlin

target=${CARGO_TARGET_DIR:-$PWD/target}
# As scripts/test-kotlin.sh does, so that nothing is built twice.
cargo test -q --no-run -p parvis-bindgen -p parvis-ffi -p parvis-services
cargo build -q -p parvis-bindgen
mvn --batch-mode --no-transfer-progress --file examples/android/pom.xml "-Dmaven.repo.local=$cache/maven" \
  "-Dparvis.output=$cache/android" "-Dparvis.bindgen=$target/debug/parvis-bindgen" \
  "-Dparvis.library=$target/debug/deps/libparvis_ffi.so" \
  "-Dparvis.binary=$target/debug/parvis" \
  --projects :sdk-android,:android-model,:android-ui,:android-phone --also-make \
  -Dtest=CallModelTest,JoinModelTest,TilesTest,RealCallTest,ScreensTest,FormatsTest,HardwareCodecsTest,NetworksTest,PicturesTest,RoutesTest,ServiceTypesTest \
  -Dsurefire.failIfNoSpecifiedTests=false -Dsurefire.printSummary=true package
echo "The screens are drawn in $cache/android/android-ui/shots."

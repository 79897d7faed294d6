#!/usr/bin/env bash
# test-android.sh CACHE: compiles the Android half of the Kotlin SDK and the example app as far as Maven Central allows; tests
# on a JVM what needs no Android, the app's models with a real service too, and draws its screens. The library is built
# before: scripts/test-kotlin.sh does it.
set -euo pipefail
cache=${1:?folder}
cd "$(dirname "$0")/.."
scripts/packages.sh --kotlin

target=${CARGO_TARGET_DIR:-$PWD/target}
mvn --batch-mode --no-transfer-progress --file examples/android/pom.xml "-Dmaven.repo.local=$cache/maven" \
  "-Dparvis.output=$cache/android" "-Dparvis.bindgen=${PARVIS_BINDGEN:-$target/debug/parvis-bindgen}" \
  "-Dparvis.library=${PARVIS_LIBRARY:-$target/debug/libparvis_ffi.so}" \
  "-Dparvis.binary=${PARVIS_BINARY:-$target/debug/parvis}" \
  --projects :sdk-android,:android-model,:android-ui,:android-phone --also-make \
  -Dtest=CallModelTest,JoinModelTest,TilesTest,RealCallTest,ScreensTest,FormatsTest,NetworksTest,PicturesTest,RoutesTest \
  -Dsurefire.failIfNoSpecifiedTests=false -Dsurefire.printSummary=true package
echo "The screens are drawn in $cache/android/android-ui/shots."

#!/usr/bin/env bash
# test-kotlin.sh CACHE [write-api]: builds the library and its Kotlin side, with its Android half and the example app as
# far as Maven Central allows, runs their tests on a JVM against a real service, and compares the public APIs with their
# snapshots, or writes those.
# test-kotlin.sh CACHE bench [--write PAGE]: prints what the boundary costs, to Swift too, and how large the library is, against what is
# wanted, and writes it into a page; fails where a row is short.
set -euo pipefail
cache=${1:?folder}
what=${2:-test}
cd "$(dirname "$0")/.."
scripts/packages.sh --kotlin

target=${CARGO_TARGET_DIR:-$PWD/target}
mvn() {
  command mvn --batch-mode --no-transfer-progress \
    "-Dmaven.repo.local=$cache/maven" "-Dparvis.bindgen=$target/debug/parvis-bindgen" "$@"
}

# size ROW MOST: what the library takes on a device, megabytes, against what it may.
size() {
  strip -o "$cache/stripped.so" "$target/app/libparvis_ffi.so"
  awk -v row="$1" -v bytes="$(stat -c %s "$cache/stripped.so")" -v most="$2" 'BEGIN {
    figure = bytes / 1e6
    printf "%-5s %-26s %7.1f %7.1f\n", figure <= most ? "ok" : "short", row, figure, most
  }'
  rm "$cache/stripped.so"
}

if [ "$what" = bench ]; then
  cargo build -q -p parvis-bindgen
  rows=$cache/bindings-bench.txt
  scripts/app-library.sh --features silent,bench
  mvn --file bindings/kotlin/pom.xml --quiet -Pbench "-Dparvis.output=$cache/kotlin-bench" \
    "-Dparvis.library=$target/app/libparvis_ffi.so" -DskipTests --projects sdk-ffi,sdk test | tee "$rows"
  scripts/bench-swift.sh "$cache" | tee --append "$rows"
  scripts/app-library.sh --features silent
  size library-with-codecs-MB 12 | tee --append "$rows"
  scripts/app-library.sh --no-default-features --features silent
  size library-alone-MB 4 | tee --append "$rows"
  scripts/bindings_table.py "$rows" "${@:3}"
  exit
fi

# Together, so that features are those of the other tests and nothing is built twice; it makes the library and the programs too.
cargo test -q --no-run -p parvis-bindgen -p parvis-ffi -p parvis-services
cargo build -q -p parvis-bindgen
# What another clone, or a run that failed, has left would be taken for what is made of these sources.
rm -rf "$cache/kotlin"
mkdir -p "$cache/kotlin"
echo "$PWD" >"$cache/kotlin/made-in"
media=$cache/scenario-media
"$target/debug/examples/scenario_media" "$media"
mvn --file examples/android/pom.xml -Pdocs "-Dparvis.output=$cache/kotlin" "-Dparvis.library=$target/debug/deps/libparvis_ffi.so" \
  "-Dparvis.binary=$target/debug/parvis" "-Dparvis.media=$media" -Dsurefire.printSummary=true package
echo "The screens of the example app are drawn in $cache/kotlin/android-ui/shots."

write=()
[ "$what" = write-api ] && write=(--write)
sources() { echo "bindings/kotlin/$1/src/main/kotlin"; }
generated=$cache/kotlin/sdk-ffi/generated-sources/uniffi/dev/parvis/ffi/parvis_ffi.kt
scripts/api_snapshot.py "$(sources sdk)" bindings/api/kotlin.txt --generated "$generated" "${write[@]}"
scripts/api_snapshot.py "$(sources sdk-android)" bindings/api/sdk-android.txt "${write[@]}"

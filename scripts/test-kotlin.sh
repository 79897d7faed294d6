#!/usr/bin/env bash
# test-kotlin.sh CACHE [bench]: builds the library and its Kotlin side, and runs its tests on a JVM against a real service;
# or, with bench, prints what the boundary costs.
set -euo pipefail
cache=${1:?folder}
what=${2:-test}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
scripts/packages.sh --kotlin

target=${CARGO_TARGET_DIR:-$root/target}
profile=debug
if [ "$what" = bench ]; then
  cargo build -q --release -p parvis-ffi
  profile=release
fi
cargo build -q -p parvis-ffi -p parvis-bindgen
cargo build -q -p parvis-services --bin parvis
media=$cache/scenario-media
cargo run -q -p parvis-ffi --example scenario_media -- "$media"

mvn=(mvn --batch-mode --no-transfer-progress --quiet -f bindings/kotlin/pom.xml "-Dmaven.repo.local=$cache/maven"
  "-Dparvis.bindgen=$target/debug/parvis-bindgen" "-Dparvis.library=$target/$profile/libparvis_ffi.so"
  "-Dparvis.binary=$target/debug/parvis" "-Dparvis.media=$media")
# Sources are checked out, outputs are not: they are kept in the cache too.
mvn+=("-Dparvis.output=$cache/kotlin")

if [ "$what" = bench ]; then
  "${mvn[@]}" test-compile exec:java@bench -pl sdk -am
  exit
fi
"${mvn[@]}" package
python3 scripts/api_snapshot.py kotlin "$cache/kotlin" bindings/api/kotlin.txt

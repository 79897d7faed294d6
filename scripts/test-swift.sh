#!/usr/bin/env bash
# test-swift.sh [--write-api] CACHE: builds the Swift binding, its tests and its examples in a folder of Debian 13, and runs them
# against a `parvis serve` of each test's own; compares the public API with bindings/api/swift.txt and parvis-apple.txt, or writes those.
set -euo pipefail
write_api=
if [ "${1:-}" = --write-api ]; then write_api=1; shift; fi
cache=$(realpath -m "${1:?folder}")
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
root=$cache/swift-root build=$cache/swift-build tools=/usr/libexec/swift/bin
# Tests get what they need from here, and nothing else of the environment.
for name in $(compgen -e PARVIS_); do unset "$name"; done
export PARVIS_LIBRARY_DIR=$target/debug/deps PARVIS_BINARY=$target/debug/parvis PARVIS_MEDIA=$build/media
export PARVIS_SWIFT_HOME=$build/home

in_swift() { # command...
  scripts/swift-root.sh run "$root" --see "$target" --see "$build" -- "$@"
}
package() { # folder, what swift does with the package there...
  local folder=$1; shift
  in_swift swift "$@" --package-path "$folder" --scratch-path "$build/${folder//\//-}" --disable-sandbox --quiet \
    >"$build/log" 2>&1 || { cat "$build/log" >&2; return 1; }
  # The last sum is that of all suites.
  grep -E 'Executed [0-9]+ tests' "$build/log" | tail -n 1 || true
}
# The example and the Rust program meet in a room: each sees the other, and a message comes across both ways.
hello_room() {
  local folder=$build/hello parvis=$target/debug/parvis link said line serving administrator example
  rm -rf "$folder" && mkdir -p "$folder"
  exec {said}< <(exec "$parvis" serve --json --drain 1s --data "$folder/data" --listen 127.0.0.1:0 \
    --relay-listen 127.0.0.1:0 2>"$folder/operator")
  serve=$!
  read -r -u "$said" serving && read -r -u "$said" administrator
  field() { sed -E 's/.*"'"$1"'":"([^"]*)".*/\1/' <<<"$2"; }
  field passphrase "$administrator" | "$parvis" login --site "$(field site "$serving")" --login "$folder/login" \
    --email "$(field email "$administrator")" >/dev/null
  link=$("$parvis" room create --access public --host-gate false --login "$folder/login" --json)
  link=$(field url "$link")
  in_swift timeout 120 "$build/examples-hello_room-swift-hello_room/debug/hello_room" "$link" Swift >"$folder/swift" 2>&1 &
  example=$!
  "$parvis" join "$link" --name Rust --guest --camera test:320x180@15 --wait 60s --plain --script - >"$folder/rust" <<'END' ||
wait present Swift
wait sees Swift camera
say Bonjour
wait chat Hello, Rust!
leave
END
    { cat "$folder/rust" "$folder/swift" >&2; return 1; }
  wait "$example" || { cat "$folder/swift" >&2; return 1; }
  kill -INT "$serve" && wait "$serve"
  exec {said}<&-
  for line in 'Rust is here' 'Rust looks like 320x180' 'Rust: Bonjour' left; do
    grep -qx "$line" "$folder/swift" || { echo "hello_room did not say: $line" >&2; cat "$folder/swift" >&2; return 1; }
  done
}
# A Kotlin client and a Swift one in one meeting; what Kotlin needs is built here if scripts/test-kotlin.sh has not done it.
beside_kotlin() {
  local swift=$build/beside-kotlin
  cat >"$swift" <<END
#!/usr/bin/env bash
cd "$PWD" && exec scripts/swift-root.sh run "$root" --see "$target" --see "$build" -- swift test --skip-build \
  --package-path bindings/swift --scratch-path "$build/bindings-swift" --disable-sandbox --filter BesideKotlinTests
END
  chmod +x "$swift"
  scripts/packages.sh --kotlin
  local sdk=$cache/kotlin/sdk/sdk-0.1.0-tests.jar
  mvn() {
    command mvn --batch-mode --no-transfer-progress --quiet "-Dmaven.repo.local=$cache/maven" \
      "-Dparvis.output=$cache/kotlin" "$@"
  }
  if [ "$(cat "$cache/kotlin/made-in" 2>/dev/null)" != "$PWD" ] || [ ! -e "$sdk" ] || [ "$(find bindings/ffi/src bindings/kotlin/{sdk-ffi,sdk} -newer "$sdk" -type f)" ]; then
    mvn --file bindings/kotlin/pom.xml "-Dparvis.bindgen=$target/debug/parvis-bindgen" \
      "-Dparvis.library=$PARVIS_LIBRARY_DIR/libparvis_ffi.so" -DskipTests --projects sdk-ffi,sdk clean package
    echo "$PWD" >"$cache/kotlin/made-in"
  fi
  mvn --file bindings/across/kotlin/pom.xml "-Dparvis.library=$PARVIS_LIBRARY_DIR/libparvis_ffi.so" \
    "-Dparvis.binary=$PARVIS_BINARY" "-Dparvis.media=$PARVIS_MEDIA" "-Dparvis.swift=$swift" test
}
step() { echo "test-swift: $* ($SECONDS s)"; }

scripts/swift-root.sh make "$root"
mkdir -p "$build/home"

serve=
trap '[ -z "$serve" ] || kill "$serve" 2>/dev/null || true' EXIT

step "the library"
# As test-kotlin.sh does it, so that nothing is built twice; `cargo build` would, since its features are others.
cargo test -q --no-run -p parvis-bindgen -p parvis-ffi -p parvis-services
cargo build -q -p parvis-bindgen
"$target/debug/examples/scenario_media" "$build/media"
bindings/swift/scripts/generate.sh "$PARVIS_LIBRARY_DIR/libparvis_ffi.so" "$target/debug/parvis-bindgen"

step "format"
in_swift "$tools/swift-format" lint --strict --recursive --configuration bindings/swift/.swift-format \
  bindings/swift/{Package.swift,Sources,Tests,Bench} examples/ios examples/hello_room/swift

step "bindings/swift"
package bindings/swift build --build-tests
package bindings/swift test --skip-build

step "beside Kotlin"
beside_kotlin

step "the public API"
# Of what only a Mac compiles, as text.
python3 scripts/public_swift.py bindings/swift/Sources/ParvisApple bindings/api/parvis-apple.txt ${write_api:+--write}
api=$build/api
mkdir -p "$api"
for module in Parvis ParvisFFI; do
  in_swift "$tools/swift-api-digester" -dump-sdk -module "$module" -sdk / -o "$api/$module.json" \
    -I "$build/bindings-swift/debug/Modules" -I bindings/swift/.generated/parvis_ffiFFI
done
python3 bindings/swift/scripts/api.py "$api/Parvis.json" "$api/ParvisFFI.json" >"$api/swift.txt"
if [ "$write_api" ]; then
  cp "$api/swift.txt" bindings/api/swift.txt
elif ! diff -u bindings/api/swift.txt "$api/swift.txt"; then
  echo "test-swift: the public API is another one; if that is meant: scripts/test-swift.sh --write-api $cache" >&2
  exit 1
fi

step "examples/ios"
package examples/ios build --build-tests
package examples/ios test --skip-build

step "examples/hello_room/swift"
package examples/hello_room/swift/hello_room build
hello_room

step "done"

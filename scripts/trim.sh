#!/usr/bin/env bash
# trim.sh CACHE: what other clones built of this project goes when the cargo target outgrows 20 GB.
# Each clone builds its own copy, since cargo tells packages apart by their folder; dependencies stay.
set -euo pipefail
target=${CARGO_TARGET_DIR:-${1:?folder}/target}
most_kib=$((20 << 20))
cd "$(dirname "$0")/.."
[ -d "$target" ] || exit 0
used_kib=$(du -sk "$target" | cut -f1)
if [ "$used_kib" -gt "$most_kib" ]; then
  echo "trim: $((used_kib >> 20)) GiB in $target"
  rm -rf "$target"/*/incremental
  for manifest in Cargo.toml testing/interop/Cargo.toml fuzz/Cargo.toml; do
    cargo clean -q --workspace --manifest-path "$manifest"
    cargo clean -q --workspace --release --manifest-path "$manifest"
  done
fi

#!/usr/bin/env bash
# fuzz.sh SECONDS: runs every fuzz target for that long.
set -euo pipefail
seconds=${1:-60}
cd "$(dirname "$0")/.."
command -v cargo-fuzz >/dev/null || cargo install -q cargo-fuzz --locked
for target in $(cargo +nightly fuzz list); do
  echo "fuzz $target for $seconds s"
  cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -print_final_stats=1
done

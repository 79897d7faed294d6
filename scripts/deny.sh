#!/usr/bin/env bash
# deny.sh CACHE: licences, sources, duplicates; advisories where their database is at hand.
set -euo pipefail
cache=${1:?folder}
if ! command -v cargo-deny >/dev/null; then
  echo "Building cargo-deny (once; some minutes)"
  CARGO_TARGET_DIR=$cache/tools/target cargo install -q cargo-deny --version '^0.18' --locked --root "$cache/tools" ||
    CARGO_TARGET_DIR=$cache/tools/target cargo install -q cargo-deny --root "$cache/tools"
  rm -rf "$cache/tools/target"
fi
cargo deny --log-level error check licenses bans sources
if cargo deny --log-level error fetch db >/dev/null 2>&1; then
  cargo deny --log-level error check advisories
else
  echo "deny: the advisory database cannot be reached from here, advisories were NOT checked"
fi

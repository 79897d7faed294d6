#!/usr/bin/env bash
# peers.sh [--release] DIR: builds the implementations we test against into DIR/bin, each once; without
# optimisation, which is quicker, unless they are to be measured.
set -euo pipefail
profile=--debug
if [ "${1:-}" = --release ]; then profile=; shift; fi
dir=${1:?folder}
mkdir -p "$dir"
export CARGO_TARGET_DIR=$dir/target
built=0
peer() { # crate version [cargo install options]
  local crate=$1 version=$2; shift 2
  [ -x "$dir/bin/$crate" ] && grep -qs "^\"$crate $version " "$dir/.crates.toml" && return
  echo "Building the peer $crate $version (once; some minutes)"
  # Its own lock file first; without it where a locked version is no longer served.
  cargo install -q "$crate" --version "=$version" --root "$dir" ${profile:+"$profile"} --force --locked "$@" ||
    cargo install -q "$crate" --version "=$version" --root "$dir" ${profile:+"$profile"} --force "$@"
  built=1
}
[ -z "$profile" ] || peer moq-test-client 0.2.0
peer moq-relay-ietf 0.8.0
peer moq-relay 0.17.10 --no-default-features --features noq,websocket
# Only the programs are kept; what they were built from takes gigabytes.
[ $built = 0 ] || rm -rf "$dir/target"

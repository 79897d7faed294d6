#!/usr/bin/env bash
# peers.sh DIR: builds the implementations we test against into DIR/bin, each once, without optimisation.
set -euo pipefail
dir=${1:?folder}
mkdir -p "$dir"
export CARGO_TARGET_DIR=$dir/target
built=0
peer() { # crate version [cargo install options]
  local crate=$1 version=$2; shift 2
  [ -x "$dir/bin/$crate" ] && grep -qs "^\"$crate $version " "$dir/.crates.toml" && return
  echo "Building the peer $crate $version (once; some minutes)"
  # Its own lock file first; without it where a locked version is no longer served.
  cargo install -q "$crate" --version "=$version" --root "$dir" --debug --force --locked "$@" ||
    cargo install -q "$crate" --version "=$version" --root "$dir" --debug --force "$@"
  built=1
}
peer moq-test-client 0.2.0
peer moq-relay-ietf 0.8.0
peer moq-relay 0.17.10 --no-default-features --features noq,websocket
# Only the programs are kept; what they were built from takes gigabytes.
[ $built = 0 ] || rm -rf "$dir/target"
